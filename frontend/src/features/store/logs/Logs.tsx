import { Box, Button, Select } from '@mui/material'
import { useState } from 'react'
import { useSearchParams } from 'react-router'
import { FilterInput } from '@/shared/components/FilterInput'
import { muted } from '@/shared/components/styles'
import { t } from '@/shared/i18n'
import { Pause, Play } from '@/shared/icons'
import { vars } from '@/shared/tokens'
import { useDebounced } from '@/shared/useDebounced'
import { useEngines } from '@/features/stores/useEngines'
import type { StoreDetail } from '@/features/store/documents'
import { LogView } from './LogView'
import { useLogs } from './useLogs'

/** What the parts of a store print. The part is in the URL, so that a link can lead to it. */
export function Logs({ store }: { store: StoreDetail }) {
  const { engineOf } = useEngines()
  const components = engineOf(store.engine)?.components ?? []
  const [search, setSearch] = useSearchParams()
  const asked = search.get('component') ?? search.get('workload') ?? '' // workload: in links of 0.1.0
  const component = components.includes(asked) ? asked : components[0]
  if (component === undefined) return null
  const choose = (next: string) => setSearch({ component: next }, { replace: true })
  return <ComponentLogs key={component} store={store} component={component} components={components} onChoose={choose} />
}

interface ComponentLogsProps {
  store: StoreDetail
  component: string
  components: string[]
  onChoose: (component: string) => void
}

function ComponentLogs({ store, component, components, onChoose }: ComponentLogsProps) {
  const { lines, ended, error, startedAt, followOn } = useLogs(store.id, component)
  const [filter, setFilter] = useState('')
  /** While paused the lines of that moment stay on screen. */
  const [paused, setPaused] = useState<typeof lines | null>(null)
  const wanted = useDebounced(filter.trim().toLowerCase())
  const current = paused ?? lines
  const shown = wanted ? current.filter(({ line }) => line.toLowerCase().includes(wanted)) : current
  const pause = () => setPaused((now) => now ?? lines)
  const resume = () => setPaused(null)
  return (
    <Box>
      <Box sx={{ display: 'flex', flexWrap: 'wrap', gap: 2.5, mb: 3 }}>
        <Select
          native
          value={component}
          onChange={(event) => onChoose(event.target.value)}
          inputProps={{ 'aria-label': t('logs.component') }}
          sx={{
            minWidth: 150,
            flex: { xs: 1, sm: 'none' },
            '& .MuiOutlinedInput-notchedOutline': { borderColor: vars.borderStrong },
          }}
        >
          {components.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </Select>
        <FilterInput
          label={t('logs.filter')}
          value={filter}
          onChange={setFilter}
          sx={{ width: { xs: '100%', sm: 260 }, order: { xs: 3, sm: 0 } }}
        />
        <Button
          onClick={ended ? followOn : paused ? resume : pause}
          startIcon={paused || ended ? <Play /> : <Pause />}
          sx={{ height: { xs: 44, sm: 36 }, ml: { sm: 'auto' } }}
        >
          {ended ? t('logs.followOn') : paused ? t('logs.follow') : t('logs.pause')}
        </Button>
      </Box>
      <LogView
        component={component}
        lines={shown}
        filter={wanted}
        startedAt={startedAt}
        state={ended ? 'ended' : paused ? 'paused' : 'following'}
        error={error}
        onPause={pause}
        onResume={resume}
      />
      <Box sx={{ mt: 3, ...muted }}>{t('logs.note')}</Box>
    </Box>
  )
}
