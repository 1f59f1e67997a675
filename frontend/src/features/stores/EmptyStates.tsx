import { Box, Button, Typography } from '@mui/material'
import { Link } from 'react-router'
import { NoStoresIllustration } from '@/shared/brand/Illustrations'
import { Kbd } from '@/shared/components/Kbd'
import { rich, t } from '@/shared/i18n'
import { Plus } from '@/shared/icons'
import { vars } from '@/shared/tokens'
import { useSession } from '@/features/session/viewer'

/** The account has no store yet. */
export function NoStores() {
  const { canWrite } = useSession()
  return (
    <Box sx={{ display: 'grid', justifyItems: 'center', textAlign: 'center', pt: { xs: 10, sm: 18 } }}>
      <NoStoresIllustration />
      <Typography variant="display" component="h1" sx={{ mt: 9, mb: 2 }}>
        {t(canWrite ? 'empty.title' : 'empty.viewerTitle')}
      </Typography>
      <Typography sx={{ color: vars.textSecondary, maxWidth: '44ch', mb: 7 }}>
        {t(canWrite ? 'empty.text' : 'empty.viewerText')}
      </Typography>
      {canWrite && (
        <>
          <Button component={Link} to="/new" variant="contained" color="primary" size="large" startIcon={<Plus />}>
            {t('empty.create')}
          </Button>
          <Box sx={{ display: { xs: 'none', sm: 'block' }, mt: 4, color: vars.textSecondary, fontSize: '0.8125rem' }}>
            {rich('empty.orPress', { key: <Kbd>C</Kbd> })}
          </Box>
        </>
      )}
    </Box>
  )
}

/** No store fits the filter. */
export function NoMatch({ search, onReset }: { search: string; onReset: () => void }) {
  return (
    <Box sx={{ py: 16, textAlign: 'center', color: vars.textSecondary }}>
      <Box sx={{ mb: 4 }}>{search ? t('stores.noMatch', { search }) : t('stores.noneHere')}</Box>
      <Button size="small" onClick={onReset}>
        {t('stores.showAll')}
      </Button>
    </Box>
  )
}
