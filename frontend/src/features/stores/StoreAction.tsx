import { Box, Button, IconButton } from '@mui/material'
import { lostSince } from '@/shared/graphql/connection'
import { t } from '@/shared/i18n'
import { ArrowUpRight, Retry } from '@/shared/icons'
import { v } from '@/shared/tokens'
import { useSession } from '@/features/session/viewer'
import type { Store } from './documents'
import { useRetryStore } from './useRetryStore'

/** The one thing to do with a store in the list: retry it, or open its shop. */
export function StoreAction({ store, compact = false }: { store: Store; compact?: boolean }) {
  const { retry, fetching } = useRetryStore()
  const { canWrite } = useSession()
  const offline = lostSince.use() !== null
  const square = { width: 40, height: 40, border: `1px solid ${v.lineStrong}` }
  const failed = store.status === 'FAILED' && canWrite
  if (!failed && store.status !== 'READY') return null
  const label = failed ? t('store.retryNamed', { name: store.name }) : t('store.openNamed', { name: store.name })
  const icon = failed ? <Retry /> : <ArrowUpRight />
  const behaviour = failed
    ? { onClick: () => retry(store.id), disabled: fetching || offline }
    : { href: store.url, target: '_blank', rel: 'noreferrer' }
  return (
    <Box sx={{ position: 'relative', zIndex: 1, display: 'inline-flex' }}>
      {compact ? (
        <IconButton aria-label={label} sx={square} {...behaviour}>
          {icon}
        </IconButton>
      ) : (
        <Button size="small" aria-label={label} {...(failed ? { startIcon: icon } : { endIcon: icon })} {...behaviour}>
          {failed ? t('store.retry') : t('store.open')}
        </Button>
      )}
    </Box>
  )
}
