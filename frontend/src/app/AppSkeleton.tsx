import { Box } from '@mui/material'
import { Logo } from '@/shared/brand/Logo'
import { StoresSkeleton } from '@/shared/components/Skeleton'
import { barInner, barOuter, page } from './layout'

/** The skeleton that is shown before the session is known: the bar, and rows without text. */
export function AppSkeleton() {
  return (
    <Box sx={{ minHeight: '100dvh' }}>
      <Box sx={barOuter}>
        <Box sx={barInner}>
          <Logo />
        </Box>
      </Box>
      <Box component="main" sx={page}>
        <Box sx={{ height: { xs: 180, sm: 118 } }} />
        <StoresSkeleton />
      </Box>
    </Box>
  )
}
