import { Box, Button } from '@mui/material'
import { Link } from 'react-router'
import { Card } from '@/shared/components/Card'
import { lostSince } from '@/shared/graphql/connection'
import { t } from '@/shared/i18n'
import { Play, Retry, Terminal } from '@/shared/icons'
import { vars } from '@/shared/tokens'
import { duration } from '@/shared/time'
import { useSession } from '@/features/session/viewer'
import { Awning } from '@/features/stores/Awning'
import { useCatalogue } from '@/features/stores/catalogue'
import { displayState, progressOf, type DisplayState } from '@/features/stores/state'
import { useRetryStore } from '@/features/stores/useRetryStore'
import type { StoreDetail } from './documents'
import { OpenShop } from './OpenShop'
import { Sentence, titleStyle } from './Sentence'

/** The shop's front: the awning and, under it, the one thing to know or to do. */
export function Front({ store }: { store: StoreDetail }) {
  const { engineOf } = useCatalogue()
  const state = displayState(store)
  const { steps } = progressOf(store, engineOf(store.engine))
  return (
    <Card sx={{ overflow: 'clip', ...(state === 'failed' ? { borderColor: vars.badBorder } : {}) }}>
      <Box sx={{ bgcolor: vars.surfaceSunken, height: 38 }}>
        <Awning steps={steps} whole={WHOLE[state]} />
      </Box>
      <Box sx={{ px: { xs: 4, sm: 6 }, pt: 5, pb: 6, borderTop: `1px solid ${vars.border}` }}>
        <Message store={store} state={state} />
      </Box>
    </Card>
  )
}

const WHOLE: Partial<Record<DisplayState, 'done' | 'pending'>> = {
  ready: 'done',
  degraded: 'done',
  down: 'done',
  suspended: 'pending',
  suspending: 'pending',
  deleting: 'pending',
  deleted: 'pending',
}

function Message({ store, state }: { store: StoreDetail; state: DisplayState }) {
  switch (state) {
    case 'ready':
    case 'degraded':
    case 'down':
      return <OpenShop store={store} healthy={state === 'ready'} />
    case 'failed':
      return <Failure store={store} />
    case 'provisioning':
    case 'updating':
    case 'resuming':
      return <Progress store={store} state={state} />
    case 'suspended':
      return <Closed store={store} />
    case 'deleting':
      return <Sentence title={t('front.deleting')} text={store.cause ?? t('front.deletingText')} />
    case 'deleted':
      return <Sentence title={t('front.deleted')} text={deletionText(store)} />
    default:
      return <Sentence title={t(`front.${state}`)} text={store.cause ?? t(`front.${state}Text`)} />
  }
}

const deletionText = ({ deletion }: StoreDetail) =>
  deletion && deletion.leftovers.length > 0
    ? t('front.leftovers', { volumes: deletion.leftovers.join(', ') })
    : t('front.deletedText')

function Closed({ store }: { store: StoreDetail }) {
  const { canWrite } = useSession()
  return (
    <>
      <Sentence title={t('front.suspended')} text={store.cause ?? t('front.suspendedText')} />
      {canWrite && (
        <Button component={Link} to={`/stores/${store.slug}/settings#resume`} startIcon={<Play />} sx={{ mt: 5 }}>
          {t('resume.open')}
        </Button>
      )}
    </>
  )
}

function Progress({ store, state }: { store: StoreDetail; state: 'provisioning' | 'updating' | 'resuming' }) {
  const { engineOf } = useCatalogue()
  const { steps, current, number, total } = progressOf(store, engineOf(store.engine))
  const usual = steps.every(({ usualMs }) => usualMs !== null)
    ? steps.reduce((sum, { usualMs }) => sum + (usualMs ?? 0), 0)
    : null
  const usually = state === 'provisioning' && usual ? `${t('front.usually', { duration: duration(usual) })} ` : ''
  return (
    <Sentence
      title={t('front.step', { number, total, title: current?.title ?? '' })}
      text={usually + t(`front.${state}Text`)}
    />
  )
}

function Failure({ store }: { store: StoreDetail }) {
  const { engineOf } = useCatalogue()
  const { canWrite } = useSession()
  const { retry, fetching } = useRetryStore()
  const offline = lostSince.use() !== null
  const { current, number, total } = progressOf(store, engineOf(store.engine))
  return (
    <>
      <Box component="h2" sx={{ ...titleStyle, color: vars.badFg }}>
        {t('front.failed', { number, total, title: current?.title ?? '' })}
      </Box>
      <Box sx={{ mt: 2, maxWidth: '62ch', textWrap: 'pretty' }}>{store.cause}</Box>
      <Box sx={{ display: 'flex', flexWrap: 'wrap', gap: 2, mt: 5 }}>
        {canWrite && (
          <Button
            variant="contained"
            color="primary"
            startIcon={<Retry />}
            disabled={fetching || offline}
            onClick={() => retry(store.id)}
          >
            {t('front.retryFrom', { number })}
          </Button>
        )}
        <Button
          component={Link}
          to={`/stores/${store.slug}/logs?workload=${current?.name ?? ''}`}
          startIcon={<Terminal />}
        >
          {t('store.seeLogs')}
        </Button>
      </Box>
    </>
  )
}
