import { Box } from '@mui/material'
import { ellipsis } from '@/shared/components/styles'
import { t } from '@/shared/i18n'
import { Lock } from '@/shared/icons'
import { vars } from '@/shared/tokens'

const STRIPES = 25

/** A preview of the shop: its name and address as they are typed. */
export function ShopPreview({ name, address }: { name: string; address: React.ReactNode }) {
  return (
    <Box
      aria-hidden
      sx={{ border: `1px solid ${vars.border}`, borderRadius: '10px', overflow: 'hidden', bgcolor: vars.surfaceSunken }}
    >
      <Box sx={{ display: 'flex', height: 28 }}>
        {Array.from({ length: STRIPES }, (_, i) => (
          <Box
            key={i}
            sx={{
              display: i <= STRIPES / 2 ? 'block' : { xs: 'none', sm: 'block' },
              flex: 1,
              height: 26,
              bgcolor: i % 2 ? vars.stripePale : vars.stripe,
              borderRadius: '0 0 50% 50% / 0 0 11px 11px',
            }}
          />
        ))}
      </Box>
      <Box sx={{ px: 5, pt: 4, pb: 4.5, textAlign: 'center' }}>
        <Box
          sx={{
            fontSize: '1.25rem',
            lineHeight: 1.3,
            fontWeight: 600,
            letterSpacing: '-0.016em',
            color: name.trim() ? vars.text : vars.textTertiary,
            ...ellipsis,
          }}
        >
          {name.trim() || t('create.yourShop')}
        </Box>
        <Box
          sx={{
            mt: 1,
            display: 'inline-flex',
            alignItems: 'center',
            gap: 1.5,
            maxWidth: '100%',
            minHeight: 20,
            color: vars.textSecondary,
            fontSize: '0.8125rem',
          }}
        >
          <Lock sx={{ fontSize: 13 }} />
          <Box component="span" sx={ellipsis}>
            {address}
          </Box>
        </Box>
      </Box>
    </Box>
  )
}
