import { Button, IconButton } from '@mui/material'
import { lostSince } from '@/shared/graphql/connection'
import { t } from '@/shared/i18n'
import { ArrowUpRight, Retry } from '@/shared/icons'
import { vars } from '@/shared/tokens'
import { useSession } from '@/features/session/viewer'
import type { Store } from './documents'
import css from './StoreAction.module.css'
import { useRetryStore } from './useRetryStore'

interface ActionProps {
  store: Store
  compact?: boolean
}

/** The one thing to do with a store in the list: retry it, or open its shop. */
export function StoreAction({ store, compact = false }: ActionProps) {
  const { canWrite } = useSession()
  if (store.status === 'READY') return <OpenAction store={store} compact={compact} />
  if (store.status === 'FAILED' && canWrite) return <RetryAction store={store} compact={compact} />
  return null
}

/** Most rows have it, so it is a plain link. It looks like the theme's buttons. */
function OpenAction({ store, compact }: ActionProps) {
  return (
    <span className={css.action}>
      <a
        href={store.url}
        target="_blank"
        rel="noreferrer"
        aria-label={t('store.openNamed', { name: store.name })}
        className={compact ? css.square : css.button}
      >
        {!compact && t('store.open')}
        <ArrowUpRight />
      </a>
    </span>
  )
}

function RetryAction({ store, compact }: ActionProps) {
  const { retry, fetching } = useRetryStore()
  const offline = lostSince.use() !== null
  const common = {
    'aria-label': t('store.retryNamed', { name: store.name }),
    onClick: () => retry(store.id),
    disabled: fetching || offline,
  }
  return (
    <span className={css.action}>
      {compact ? (
        <IconButton {...common} sx={{ width: 40, height: 40, border: `1px solid ${vars.borderStrong}` }}>
          <Retry />
        </IconButton>
      ) : (
        <Button {...common} size="small" startIcon={<Retry />}>
          {t('store.retry')}
        </Button>
      )}
    </span>
  )
}
