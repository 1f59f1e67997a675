import { Box } from '@mui/material'
import { Mark } from '@/shared/brand/Mark'
import { StoresSkeleton } from '@/shared/components/Skeleton'
import { barInner, barOuter, page } from './layout'

/** What is shown before anything is known: the bar and still rows. */
export function Frame() {
  return (
    <Box sx={{ minHeight: '100dvh' }}>
      <Box sx={barOuter}>
        <Box sx={barInner}>
          <Mark />
        </Box>
      </Box>
      <Box component="main" sx={page}>
        <Box sx={{ height: { xs: 180, sm: 118 } }} />
        <StoresSkeleton />
      </Box>
    </Box>
  )
}
