import { Box, Button, Typography, useMediaQuery, useTheme } from '@mui/material'
import { useState } from 'react'
import { t } from '@/shared/i18n'
import { vars } from '@/shared/tokens'

const STEPS = ['create', 'watch', 'find'] as const
/** Without what is about the keyboard. */
const PHONE_STEPS = STEPS.slice(0, 2)
const STRIPES = 6

/** Three short cards for somebody who is here for the first time. They cover nothing and take no focus. */
export function Tour({ onClose }: { onClose: () => void }) {
  const [at, setAt] = useState(0)
  const phone = useMediaQuery(useTheme().breakpoints.down('sm'))
  const steps = phone ? PHONE_STEPS : STEPS
  const step = steps[at] ?? 'create'
  const last = at >= steps.length - 1
  return (
    <Box component="aside" aria-labelledby="tour-title" data-tour sx={box}>
      <Box aria-hidden sx={{ display: 'flex', height: 20, bgcolor: vars.surfaceSunken }}>
        {Array.from({ length: steps.length * STRIPES }, (_, i) => {
          const down = i < (at + 1) * STRIPES
          return (
            <Box
              key={i}
              style={{ height: down ? 18 : 6 }}
              sx={{
                flex: 1,
                bgcolor: (down ? [vars.stripe, vars.stripePale] : [vars.borderStrong, vars.border])[i % 2],
                borderRadius: '0 0 50% 50% / 0 0 8px 8px',
                transition: 'height 320ms',
              }}
            />
          )
        })}
      </Box>
      <Box sx={{ px: 5, pt: 4, pb: 4 }}>
        <Box sx={{ fontSize: '0.75rem', color: vars.textTertiary, mb: 1 }}>
          {t('progress.of', { number: at + 1, total: steps.length })}
        </Box>
        <Typography variant="h2" id="tour-title" sx={{ mb: 1 }}>
          {t(`tour.${step}Title`)}
        </Typography>
        <Box sx={{ color: vars.textSecondary, fontSize: '0.8125rem', textWrap: 'pretty', minHeight: 60 }}>
          {t(`tour.${step}Text`)}
        </Box>
      </Box>
      <Box sx={{ display: 'flex', justifyContent: 'space-between', px: 5, pb: 4 }}>
        <Button size="small" variant="text" onClick={onClose} sx={{ ml: -2.5 }}>
          {last ? '' : t('tour.skip')}
        </Button>
        <Button size="small" onClick={() => (last ? onClose() : setAt(at + 1))}>
          {last ? t('tour.done') : t('tour.next')}
        </Button>
      </Box>
    </Box>
  )
}

const box = {
  position: 'fixed',
  right: { xs: 16, sm: 24 },
  bottom: { xs: 76, sm: 24 },
  zIndex: 1000,
  width: 320,
  maxWidth: 'calc(100% - 32px)',
  overflow: 'clip',
  borderRadius: '12px',
  bgcolor: vars.raised,
  border: `1px solid ${vars.border}`,
  boxShadow: vars.shadow,
}
