import { Box, Button, Typography } from '@mui/material'
import { useState } from 'react'
import { Card } from '@/shared/components/Card'
import { Chips } from '@/shared/components/Chips'
import { plainList } from '@/shared/components/styles'
import { t } from '@/shared/i18n'
import { vars } from '@/shared/tokens'
import { formatDay, useNow } from '@/shared/time'
import { EventLine } from '@/features/events/EventLine'
import { useStoreEvents } from '@/features/events/useStoreEvents'
import { TextSkeleton } from '@/shared/components/Skeleton'
import type { StoreDetail } from './documents'

const PAGE = 50
const KINDS = ['ALL', 'STATUS', 'STEP', 'HEALTH', 'NOTICE'] as const

/** What happened to a store, by day. */
export function Activity({ store }: { store: StoreDetail }) {
  const { events, loaded, fetching, loadOlder } = useStoreEvents(store.id, PAGE)
  const [kind, setKind] = useState<(typeof KINDS)[number]>('ALL')
  const shown = events.filter(({ type }) => kind === 'ALL' || type === kind)
  const days = [...Map.groupBy(shown, ({ at }) => formatDay(at))]
  const today = formatDay(useNow(15000))
  return (
    <Box>
      <Box sx={{ mb: 4 }}>
        <Chips
          label={t('activity.which')}
          value={kind}
          chips={KINDS.map((value) => ({ value, label: t(`activity.${value}`) }))}
          onChange={setKind}
        />
      </Box>
      {!loaded && events.length === 0 && <TextSkeleton />}
      {loaded && days.length === 0 && (
        <Box sx={{ py: 12, textAlign: 'center', color: vars.textSecondary }}>{t('activity.none')}</Box>
      )}
      {days.map(([day, list]) => (
        <Box key={day} component="section" aria-label={day} sx={section}>
          <Typography variant="h3" component="h2" sx={{ pt: { md: 3.5 }, color: vars.textSecondary }}>
            {day === today ? t('activity.today') : day}
          </Typography>
          <Card>
            <Box component="ol" sx={{ ...plainList, py: 2 }}>
              {list.map((event) => (
                <EventLine key={event.cursor} event={event} exact />
              ))}
            </Box>
          </Card>
        </Box>
      ))}
      {loadOlder && (
        <Box sx={{ textAlign: 'center' }}>
          <Button onClick={loadOlder} disabled={fetching}>
            {t('more')}
          </Button>
        </Box>
      )}
    </Box>
  )
}

const section = {
  display: 'grid',
  gridTemplateColumns: { xs: 'minmax(0, 1fr)', md: '140px minmax(0, 1fr)' },
  columnGap: 6,
  rowGap: 2,
  mb: 5,
}
