import { Box } from '@mui/material'
import { t } from '@/shared/i18n'
import { vars } from '@/shared/tokens'
import { RelativeTime, formatClock } from '@/shared/time'
import { StateIcon } from '@/features/stores/StateIcon'
import { TONES, type DisplayState, type Tone } from '@/features/stores/state'
import type { Webhook } from './documents'

const LOOKS: Record<Webhook['status'], { icon: DisplayState; tone: Tone }> = {
  ACTIVE: { icon: 'ready', tone: 'ready' },
  FAILING: { icon: 'degraded', tone: 'warn' },
  DISABLED: { icon: 'suspended', tone: 'idle' },
}

/** A webhook's status: its icon and its word on a tint. */
export function WebhookState({ status }: { status: Webhook['status'] }) {
  const { icon, tone } = LOOKS[status]
  return (
    <Box
      component="span"
      sx={{
        display: 'inline-flex',
        alignItems: 'center',
        gap: 1.5,
        flex: 'none',
        height: 26,
        px: 2,
        borderRadius: '4px',
        bgcolor: TONES[tone].bg,
        color: TONES[tone].fg,
        fontSize: '0.8125rem',
        fontWeight: 550,
      }}
    >
      <StateIcon state={icon} />
      {t(`webhooks.${status}`)}
    </Box>
  )
}

/** Why messages don't arrive, and what happens next. */
export function DeliveryProblem({ webhook, children }: { webhook: Webhook; children: React.ReactNode }) {
  const { status, cause, failingSince, nextAttemptAt } = webhook
  if (status === 'ACTIVE') return null
  const { icon, tone } = LOOKS[status]
  return (
    <Box
      role="region"
      aria-label={t(`webhooks.${status}`)}
      sx={{
        display: 'flex',
        gap: 3.5,
        p: { xs: 4, sm: 5 },
        borderRadius: '12px',
        border: `1px solid ${TONES[tone].border}`,
        bgcolor: TONES[tone].bg,
      }}
    >
      <StateIcon state={icon} size={20} />
      <Box sx={{ flex: 1, minWidth: 0 }}>
        <Box sx={{ fontWeight: 600, color: TONES[tone].fg }}>
          {t(`webhooks.${status}Title`)}
          {failingSince && (
            <Box component="span" sx={{ fontWeight: 400, color: vars.textSecondary }}>
              {' · '}
              <RelativeTime at={failingSince} />
            </Box>
          )}
        </Box>
        <Box sx={{ mt: 1, textWrap: 'pretty', maxWidth: '62ch' }}>
          {cause} {status === 'FAILING' && t('webhooks.FAILINGText')}
          {nextAttemptAt && <NextAttempt at={nextAttemptAt} />}
        </Box>
        {children && <Box sx={{ mt: 3.5 }}>{children}</Box>}
      </Box>
    </Box>
  )
}

function NextAttempt({ at }: { at: string }) {
  return <Box sx={{ color: vars.textSecondary, mt: 1 }}>{t('webhooks.nextAttempt', { time: formatClock(at) })}</Box>
}
