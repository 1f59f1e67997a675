import { Box, Checkbox } from '@mui/material'
import { t } from '@/shared/i18n'
import { vars } from '@/shared/tokens'
import type { Webhook } from './documents'

export type EventType = Webhook['eventTypes'][number]
export const EVENT_TYPES: readonly EventType[] = ['STATUS', 'STEP', 'HEALTH', 'NOTICE']

interface EventTypesProps {
  value: readonly EventType[]
  error: string | undefined
  onChange: (value: EventType[]) => void
}

/** Which events are sent. */
export function EventTypes({ value, error, onChange }: EventTypesProps) {
  const toggle = (type: EventType) => EVENT_TYPES.filter((one) => value.includes(one) !== (one === type))
  return (
    <Box component="fieldset" sx={{ m: 0, p: 0, border: 0, minWidth: 0 }}>
      <Box component="legend" sx={{ p: 0, mb: 1.5, fontSize: '0.8125rem', fontWeight: 550 }}>
        {t('webhooks.eventTypes')}
      </Box>
      {EVENT_TYPES.map((type) => (
        <Box
          key={type}
          component="label"
          sx={{ display: 'flex', gap: 2, py: { xs: 2, sm: 1 }, cursor: 'pointer', alignItems: 'flex-start' }}
        >
          <Checkbox
            checked={value.includes(type)}
            onChange={() => onChange(toggle(type))}
            sx={{ mt: '-2px', ml: '-4px' }}
          />
          <Box>
            <Box component="span" sx={{ fontWeight: 550 }}>
              {t(`activity.${type}`)}
            </Box>{' '}
            <Box component="span" sx={{ color: vars.textSecondary }}>
              {t(`webhooks.${type}`)}
            </Box>
          </Box>
        </Box>
      ))}
      {error && (
        <Box role="alert" sx={{ mt: 1.5, fontSize: '0.8125rem', color: vars.badFg }}>
          {error}
        </Box>
      )}
    </Box>
  )
}
