import { Box, Button } from '@mui/material'
import { Link } from 'react-router'
import { Card } from '@/shared/components/Card'
import { lostSince } from '@/shared/graphql/connection'
import { apiText, t } from '@/shared/i18n'
import { Play, Retry, Terminal } from '@/shared/icons'
import { vars } from '@/shared/tokens'
import { duration } from '@/shared/time'
import { useSession } from '@/features/session/viewer'
import { StepProgress } from '@/features/stores/StepProgress'
import { useEngines } from '@/features/stores/useEngines'
import { displayState, progressOf, type DisplayState } from '@/features/stores/state'
import { useRetryStore } from '@/features/stores/useRetryStore'
import type { StoreDetail } from './documents'
import { OpenShop } from './OpenShop'
import { StatusMessage, titleStyle } from './StatusMessage'

/** The store's state: the progress of its steps and, below, the one thing to know or to do. */
export function StatusCard({ store }: { store: StoreDetail }) {
  const { engineOf } = useEngines()
  const state = displayState(store)
  const { steps } = progressOf(store, engineOf(store.engine))
  return (
    <Card sx={{ overflow: 'clip', ...(state === 'failed' ? { borderColor: vars.badBorder } : {}) }}>
      <Box sx={{ bgcolor: vars.surfaceSunken, height: 38 }}>
        <StepProgress steps={steps} all={STRIPES[state]} />
      </Box>
      <Box sx={{ px: { xs: 4, sm: 6 }, pt: 5, pb: 6, borderTop: `1px solid ${vars.border}` }}>
        <StatusContent store={store} state={state} />
      </Box>
    </Card>
  )
}

const STRIPES: Partial<Record<DisplayState, 'done' | 'pending'>> = {
  ready: 'done',
  degraded: 'done',
  down: 'done',
  suspended: 'pending',
  suspending: 'pending',
  deleting: 'pending',
  deleted: 'pending',
}

function StatusContent({ store, state }: { store: StoreDetail; state: DisplayState }) {
  const cause = store.cause && apiText(store.cause)
  switch (state) {
    case 'ready':
    case 'degraded':
    case 'down':
      return <OpenShop store={store} healthy={state === 'ready'} />
    case 'failed':
      return <Failure store={store} cause={cause} />
    case 'provisioning':
    case 'updating':
    case 'resuming':
      return <Progress store={store} state={state} />
    case 'suspended':
      return <Suspended store={store} cause={cause} />
    case 'deleting':
      return <StatusMessage title={t('statusCard.deleting')} text={cause ?? t('statusCard.deletingText')} />
    case 'deleted':
      return <StatusMessage title={t('statusCard.deleted')} text={deletionText(store)} />
    default:
      return <StatusMessage title={t(`statusCard.${state}`)} text={cause ?? t(`statusCard.${state}Text`)} />
  }
}

const deletionText = ({ deletion }: StoreDetail) =>
  deletion && deletion.leftovers.length > 0
    ? t('statusCard.leftovers', { volumes: deletion.leftovers.join(', ') })
    : t('statusCard.deletedText')

function Suspended({ store, cause }: { store: StoreDetail; cause: string | null }) {
  const { canWrite } = useSession()
  return (
    <>
      <StatusMessage title={t('statusCard.suspended')} text={cause ?? t('statusCard.suspendedText')} />
      {canWrite && (
        <Button component={Link} to={`/stores/${store.slug}/settings#resume`} startIcon={<Play />} sx={{ mt: 5 }}>
          {t('resume.open')}
        </Button>
      )}
    </>
  )
}

function Progress({ store, state }: { store: StoreDetail; state: 'provisioning' | 'updating' | 'resuming' }) {
  const { engineOf } = useEngines()
  const { steps, current, number, total } = progressOf(store, engineOf(store.engine))
  const usual = steps.every(({ usualMs }) => usualMs !== null)
    ? steps.reduce((sum, { usualMs }) => sum + (usualMs ?? 0), 0)
    : null
  const usually = state === 'provisioning' && usual ? `${t('statusCard.usually', { duration: duration(usual) })} ` : ''
  return (
    <StatusMessage
      title={t('statusCard.step', { number, total, title: current?.title ?? '' })}
      text={usually + t(`statusCard.${state}Text`)}
    />
  )
}

function Failure({ store, cause }: { store: StoreDetail; cause: string | null }) {
  const { engineOf } = useEngines()
  const { canWrite } = useSession()
  const { retry, fetching } = useRetryStore()
  const offline = lostSince.use() !== null
  const { current, number, total } = progressOf(store, engineOf(store.engine))
  return (
    <>
      <Box component="h2" sx={{ ...titleStyle, color: vars.badFg }}>
        {t('statusCard.failed', { number, total, title: current?.title ?? '' })}
      </Box>
      <Box sx={{ mt: 2, maxWidth: '62ch', textWrap: 'pretty' }}>{cause}</Box>
      <Box sx={{ display: 'flex', flexWrap: 'wrap', gap: 2, mt: 5 }}>
        {canWrite && (
          <Button
            variant="contained"
            color="primary"
            startIcon={<Retry />}
            disabled={fetching || offline}
            onClick={() => retry(store.id)}
          >
            {t('statusCard.retryFrom', { number })}
          </Button>
        )}
        <Button
          component={Link}
          to={`/stores/${store.slug}/logs?component=${current?.name ?? ''}`}
          startIcon={<Terminal />}
        >
          {t('store.seeLogs')}
        </Button>
      </Box>
    </>
  )
}
