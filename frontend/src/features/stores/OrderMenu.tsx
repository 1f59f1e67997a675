import { Box } from '@mui/material'
import { t } from '@/shared/i18n'
import { ring, vars } from '@/shared/tokens'
import { ORDERS, type StoreOrder } from './useStorePages'

const NAMES = Object.keys(ORDERS) as StoreOrder[]

/** The order inside the groups. The browser's own select: light, and good on phones. */
export function OrderMenu({ value, onChange }: { value: StoreOrder; onChange: (order: StoreOrder) => void }) {
  return (
    <Box
      component="select"
      aria-label={t('order.label')}
      value={value}
      onChange={(event: React.ChangeEvent<HTMLSelectElement>) => onChange(event.target.value as StoreOrder)}
      sx={{
        flex: 'none',
        display: { xs: 'none', sm: 'block' },
        height: 30,
        border: 0,
        borderRadius: '8px',
        bgcolor: 'transparent',
        color: vars.textSecondary,
        font: 'inherit',
        fontSize: '0.8125rem',
        cursor: 'pointer',
        '&:hover': { color: vars.text },
        '&:focus-visible': ring,
        '& option': { bgcolor: vars.raised, color: vars.text },
      }}
    >
      {NAMES.map((order) => (
        <option key={order} value={order}>
          {t(`order.${order}`)}
        </option>
      ))}
    </Box>
  )
}
