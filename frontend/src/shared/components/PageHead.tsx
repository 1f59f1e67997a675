import { Box, Button, Typography } from '@mui/material'
import { useEffect } from 'react'
import { Link } from 'react-router'
import { t } from '@/shared/i18n'
import { ArrowLeft } from '@/shared/icons'

interface PageHeadProps {
  title: string
  /** The page above this one. */
  back?: { to: string; label: string }
  /** Beside the title. */
  tag?: React.ReactNode
  /** Buttons at the end of the line. */
  children?: React.ReactNode
}

/** A page's title, which is the browser's title, too; the way back, and what can be done. */
export function PageHead({ title, back, tag, children }: PageHeadProps) {
  useEffect(() => {
    document.title = `${title} · ${t('product')}`
  }, [title])
  return (
    <>
      {back && (
        <Button
          component={Link}
          to={back.to}
          variant="text"
          startIcon={<ArrowLeft />}
          sx={{ mb: 3, ml: -2, '[dir="rtl"] & svg': { transform: 'scaleX(-1)' } }}
        >
          {back.label}
        </Button>
      )}
      <Box sx={{ display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: 4, mb: 7 }}>
        <Box sx={{ flex: '1 1 16rem', display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: 3, minWidth: 0 }}>
          <Typography variant="display" component="h1" sx={{ minWidth: 0, overflowWrap: 'anywhere' }}>
            {title}
          </Typography>
          {tag}
        </Box>
        {children && <Box sx={{ display: 'flex', flexWrap: 'wrap', gap: 2 }}>{children}</Box>}
      </Box>
    </>
  )
}
