import { useColorScheme } from '@mui/material/styles'
import { matchPath, useLocation, useNavigate } from 'react-router'
import { t } from '@/shared/i18n'
import {
  ArrowUpRight,
  Code,
  Copy,
  Globe,
  Key,
  Keyboard,
  LogOut,
  Moon,
  Plus,
  Retry,
  Store,
  Terminal,
  User,
} from '@/shared/icons'
import { signOut } from '@/features/session/auth'
import { useSession } from '@/features/session/viewer'
import type { Store as StoreData } from '@/features/stores/documents'
import { StoreStateIcon } from '@/features/stores/StateIcon'
import { displayState } from '@/features/stores/state'
import { useRetryStore } from '@/features/stores/useRetryStore'

export interface Command {
  id: string
  group: string
  icon: React.ReactNode
  text: string
  aside?: string
  /** What is searched. */
  words: string
  keys?: string[]
  run: () => void
}

/** What the palette offers: the store on screen, stores, things to do, places. */
export function useCommands(stores: StoreData[], onShortcuts: () => void): Command[] {
  const navigate = useNavigate()
  const { pathname } = useLocation()
  const { canWrite, isOperator } = useSession()
  const { mode, setMode } = useColorScheme()
  const { retry } = useRetryStore()
  const slug = matchPath('/stores/:slug/*', pathname)?.params.slug
  const here = stores.find((store) => store.slug === slug)
  const go = (to: string) => () => void navigate(to)

  const aboutStore = (store: StoreData): Command[] => {
    const base = { group: store.name }
    const commands: (Omit<Command, 'group' | 'words'> & { when?: boolean })[] = [
      {
        id: 'open',
        icon: <ArrowUpRight />,
        text: t('store.openShop'),
        keys: ['O'],
        when: store.status === 'READY',
        run: () => window.open(store.url, '_blank', 'noreferrer'),
      },
      {
        id: 'retry',
        icon: <Retry />,
        text: t('store.retry'),
        keys: ['R'],
        when: canWrite && store.status === 'FAILED',
        run: () => retry(store.id),
      },
      {
        id: 'address',
        icon: <Copy />,
        text: t('store.copyAddress'),
        keys: ['Y'],
        run: () => void navigator.clipboard.writeText(store.url),
      },
      {
        id: 'logs',
        icon: <Terminal />,
        text: t('store.followLogs'),
        keys: ['3'],
        run: go(`/stores/${store.slug}/logs`),
      },
    ]
    return commands.filter(({ when }) => when !== false).map((one) => ({ ...base, words: one.text, ...one }))
  }
  const command = (group: string, part: Omit<Command, 'group' | 'words'>): Command => ({
    group,
    words: part.text,
    ...part,
  })
  const doing = t('palette.do')
  const places = t('palette.goTo')
  const nextMode = mode === 'dark' ? 'light' : 'dark'
  return [
    ...(here ? aboutStore(here) : []),
    ...stores.map((store) => ({
      id: store.id,
      group: t('stores.title'),
      icon: <StoreStateIcon store={store} />,
      text: store.name,
      aside: t(`state.${displayState(store)}`),
      words: `${store.name} ${store.slug} ${t(`state.${displayState(store)}`)}`,
      run: go(`/stores/${store.slug}`),
    })),
    ...(canWrite
      ? [
          command(doing, { id: 'new', icon: <Plus />, text: t('stores.create'), keys: ['C'], run: go('/new') }),
          command(doing, { id: 'token', icon: <Key />, text: t('tokens.createTitle'), run: go('/account?token=new') }),
        ]
      : []),
    command(doing, { id: 'mode', icon: <Moon />, text: t('palette.mode'), keys: ['T'], run: () => setMode(nextMode) }),
    command(places, { id: 'stores', icon: <Store />, text: t('nav.stores'), keys: ['G', 'S'], run: go('/') }),
    command(places, { id: 'account', icon: <User />, text: t('nav.account'), keys: ['G', 'A'], run: go('/account') }),
    command(places, {
      id: 'webhooks',
      icon: <Globe />,
      text: t('webhooks.title'),
      run: go('/account/webhooks'),
    }),
    ...(isOperator
      ? [command(places, { id: 'operator', icon: <Globe />, text: t('operator.title'), run: go('/operator') })]
      : []),
    command(places, { id: 'keys', icon: <Keyboard />, text: t('shortcuts.title'), keys: ['?'], run: onShortcuts }),
    command(places, {
      id: 'playground',
      icon: <Code />,
      text: t('nav.playground'),
      run: () => location.assign('/graphiql'),
    }),
    command(places, { id: 'out', icon: <LogOut />, text: t('session.signOut'), run: () => void signOut() }),
  ]
}
