import { Button, Typography } from '@mui/material'
import { Link } from 'react-router'
import { t } from '@/shared/i18n'
import { ArrowLeft } from '@/shared/icons'
import { vars } from '@/shared/tokens'
import { Box } from '@mui/material'

export function NotFound() {
  return (
    <Box sx={{ textAlign: 'center', pt: 20 }}>
      <Typography variant="display" component="h1" sx={{ mb: 2 }}>
        {t('notFound.title')}
      </Typography>
      <Typography sx={{ color: vars.textSecondary, mb: 6 }}>{t('notFound.text')}</Typography>
      <Button component={Link} to="/" startIcon={<ArrowLeft />}>
        {t('stores.all')}
      </Button>
    </Box>
  )
}
