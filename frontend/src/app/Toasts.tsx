import { Box, Button, IconButton } from '@mui/material'
import { useEffect } from 'react'
import { useLocation, useNavigate } from 'react-router'
import { useLiveEvents } from '@/features/events/bus'
import type { LiveEvent } from '@/features/events/documents'
import { visuallyHidden } from '@/shared/components/styles'
import { t } from '@/shared/i18n'
import { Close } from '@/shared/icons'
import { vars } from '@/shared/tokens'
import { announcement, showToast, toast } from '@/shared/toast'

const SHOWN_MS = 6_000

/** One sentence for a store that became READY, FAILED, DOWN or was deleted; null for all other events. */
export function toastText({
  type,
  store,
}: Pick<LiveEvent, 'type'> & { store: Pick<LiveEvent['store'], 'name' | 'status' | 'health'> }) {
  const { name, status, health } = store
  if (type === 'STATUS' && status === 'READY') return t('toast.ready', { name })
  if (type === 'STATUS' && status === 'FAILED') return t('toast.failed', { name })
  if (type === 'STATUS' && status === 'DELETED') return t('toast.deleted', { name })
  if (type === 'HEALTH' && status === 'READY' && health?.state === 'DOWN') return t('toast.down', { name })
  return null
}

/** Short messages at the bottom of the page; the same sentences go to screen readers. */
export function Toasts() {
  const navigate = useNavigate()
  const { pathname } = useLocation()
  const shown = toast.use()
  const spoken = announcement.use()

  useLiveEvents((event) => {
    const text = toastText(event)
    if (text === null) return
    announcement.set(text)
    const to = `/stores/${event.store.slug}`
    if (`${pathname}/`.startsWith(`${to}/`)) return
    showToast(event.store.status === 'DELETED' ? { text } : { text, to })
  })
  useEffect(() => {
    if (shown === null) return
    const timer = setTimeout(() => toast.set(null), SHOWN_MS)
    return () => clearTimeout(timer)
  }, [shown])

  return (
    <>
      <Box role="status" aria-live="polite" sx={visuallyHidden}>
        {spoken}
      </Box>
      {shown && (
        <Box component="aside" data-toast sx={box}>
          {shown.text}
          {shown.to && (
            <Button
              variant="text"
              size="small"
              sx={onDark}
              onClick={() => {
                toast.set(null)
                void navigate(shown.to ?? '/')
              }}
            >
              {t('toast.see')}
            </Button>
          )}
          <IconButton size="small" aria-label={t('close')} onClick={() => toast.set(null)} sx={onDark}>
            <Close sx={{ fontSize: 15 }} />
          </IconButton>
        </Box>
      )}
    </>
  )
}

const onDark = {
  color: 'inherit',
  '&:hover': { color: 'inherit', bgcolor: 'color-mix(in srgb, currentColor 14%, transparent)' },
}
const box = {
  position: 'fixed',
  left: { xs: 16, sm: 24 },
  right: { xs: 16, sm: 'auto' },
  bottom: { xs: 76, sm: 24 },
  zIndex: 1400,
  display: 'flex',
  alignItems: 'center',
  gap: 2,
  maxWidth: 480,
  minHeight: 44,
  pl: 4,
  pr: 2,
  py: 1.5,
  borderRadius: '10px',
  bgcolor: vars.text,
  color: vars.background,
  boxShadow: vars.shadow,
}
