import { Box, Typography } from '@mui/material'
import { useEffect } from 'react'
import { Mark } from '@/shared/brand/Mark'
import { Street } from '@/shared/brand/Street'
import { t } from '@/shared/i18n'
import { vars } from '@/shared/tokens'

/** The frame of the pages for people who are not signed in: a narrow column above a street of shops. */
export function EntryPage({ title, text, children }: { title: string; text?: string; children: React.ReactNode }) {
  useEffect(() => {
    document.title = `${title} · ${t('product')}`
  }, [title])
  return (
    <Box
      component="main"
      sx={{ minHeight: '100dvh', display: 'grid', gridTemplateRows: '1fr auto', overflow: 'hidden' }}
    >
      <Box sx={{ display: 'grid', placeItems: 'center', px: 5, py: 10 }}>
        <Box sx={{ width: '100%', maxWidth: 348 }}>
          <Mark size={44} />
          <Typography variant="display" component="h1" sx={{ mt: 5, mb: 1 }}>
            {title}
          </Typography>
          {text && <Typography sx={{ color: vars.textSecondary }}>{text}</Typography>}
          <Box sx={{ mt: 7 }}>{children}</Box>
        </Box>
      </Box>
      <Street />
    </Box>
  )
}
