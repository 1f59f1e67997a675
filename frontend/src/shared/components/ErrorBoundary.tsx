import { Component, type ReactNode } from 'react'
import { t } from '@/shared/i18n'
import { ErrorBanner } from './ErrorBanner'

interface Props {
  children: ReactNode
  /** Another value shows the children again. */
  resetKey: string
}

/** Keeps the rest of the page when a part of it fails, or when its code can't be loaded (after an update). */
export class ErrorBoundary extends Component<Props, { failed: boolean }> {
  override state = { failed: false }

  static getDerivedStateFromError() {
    return { failed: true }
  }

  override componentDidUpdate(previous: Props) {
    if (previous.resetKey !== this.props.resetKey) this.setState({ failed: false })
  }

  override render() {
    if (!this.state.failed) return this.props.children
    return <ErrorBanner onRetry={() => location.reload()}>{t('error.page')}</ErrorBanner>
  }
}
