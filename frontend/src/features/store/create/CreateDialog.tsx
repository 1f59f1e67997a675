import { Box, Button, Dialog, IconButton, Typography, useMediaQuery, useTheme } from '@mui/material'
import { useEffect, useState } from 'react'
import { useNavigate } from 'react-router'
import { useMutation } from 'urql'
import { CopyAs } from '@/shared/components/CopyAs'
import { ErrorBanner } from '@/shared/components/ErrorBanner'
import { Kbd } from '@/shared/components/Kbd'
import { muted } from '@/shared/components/styles'
import { lostSince } from '@/shared/graphql/connection'
import { byField, userErrors, type UserError } from '@/shared/graphql/errors'
import { t } from '@/shared/i18n'
import { Close } from '@/shared/icons'
import { modifier } from '@/shared/keys'
import { vars } from '@/shared/tokens'
import { useSession } from '@/features/session/viewer'
import { useEngines } from '@/features/stores/useEngines'
import { CreateStore } from './documents'
import { offeredEngine, toInput, useDraft, type Draft } from './draft'
import { Limits, storesLeft } from './Limits'
import { MoreOptions } from './MoreOptions'
import { NameFields } from './NameFields'
import { RegionFields } from './RegionFields'
import { EngineCards, PlanCards } from './PlanCards'
import { ShopPreview } from './ShopPreview'
import { useSlug } from './useSlug'

const SHOWN_AT_FIELD = ['name', 'slug', 'engine', 'country', 'currency', 'language', 'setup', 'adminEmail']

/** `/new`: asks what a store needs, over the list. */
export function CreateDialog() {
  const phone = useMediaQuery(useTheme().breakpoints.down('sm'))
  const navigate = useNavigate()
  return (
    <Dialog
      open
      onClose={() => void navigate('/')}
      fullScreen={phone}
      aria-labelledby="create-title"
      slotProps={{ paper: { sx: { width: 680, maxWidth: { sm: 'calc(100% - 32px)' } } } }}
    >
      <CreateForm />
    </Dialog>
  )
}

function CreateForm() {
  const navigate = useNavigate()
  const { user, account, refetch } = useSession()
  const { engines, plans, languages, engineOf } = useEngines()
  const { draft: typed, change: changeDraft, clear, withIdempotencyKey } = useDraft(user.email)
  const draft = { ...typed, engine: offeredEngine(engines, typed.engine) }
  const [{ fetching }, execute] = useMutation(CreateStore)
  const [errors, setErrors] = useState<UserError[]>([])
  const offline = lostSince.use() !== null
  const suggestion = useSlug(draft.name, draft.slug)
  const suffix = suggestion ? new URL(suggestion.url).host.slice(suggestion.slug.length) : ''
  const input = toInput(draft, account.id)
  const mayCreate = storesLeft(account) > 0 && account.creationsLeft > 0
  const { errorOf, general } = byField(errors, SHOWN_AT_FIELD)

  useEffect(() => {
    // The limits may have changed since the page was loaded.
    refetch()
    // The page that follows: its code is there when it is needed.
    void import('@/features/store/StorePage')
  }, [refetch])

  const change = (part: Partial<Draft>) => {
    changeDraft(part)
    setErrors([])
  }
  const submit = async () => {
    if (fetching || offline || !mayCreate) return
    if (!draft.name.trim()) {
      setErrors([{ code: 'INVALID_NAME', field: 'name', message: t('create.nameMissing') }])
      return
    }
    const result = await execute({ input: withIdempotencyKey(input) })
    const failures = userErrors(result)
    const store = result.data?.createStore.store
    setErrors(failures)
    if (!store) return
    clear()
    refetch()
    void navigate(`/stores/${store.slug}`)
  }
  return (
    <Box
      component="form"
      noValidate
      onSubmit={(event: React.FormEvent) => {
        event.preventDefault()
        void submit()
      }}
      onKeyDown={(event: React.KeyboardEvent) => {
        if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) void submit()
      }}
      sx={{ display: 'flex', flexDirection: 'column', minHeight: 0, flex: 1 }}
    >
      <Box sx={head}>
        <Typography variant="h2" id="create-title" sx={{ flex: 1 }}>
          {t('create.title')}
        </Typography>
        <IconButton aria-label={t('close')} onClick={() => void navigate('/')} sx={{ mr: -2 }}>
          <Close />
        </IconButton>
      </Box>
      <Box sx={body}>
        <ShopPreview name={draft.name} address={`${draft.slug ?? suggestion?.slug ?? '…'}${suffix}`} />
        {general && <ErrorBanner>{general}</ErrorBanner>}
        <NameFields
          name={draft.name}
          slug={draft.slug}
          suggested={suggestion?.slug}
          reason={suggestion?.available ? null : suggestion?.reason}
          suffix={suffix}
          nameError={errorOf('name')}
          slugError={errorOf('slug')}
          onName={(name) => change({ name })}
          onSlug={(slug) => change({ slug })}
        />
        <EngineCards
          engines={engines}
          value={draft.engine}
          error={errorOf('engine')}
          onChange={(engine) => change({ engine })}
        />
        <RegionFields draft={draft} languages={languages} errorOf={errorOf} onChange={change} />
        <PlanCards plans={plans} value={draft.plan} onChange={(plan) => change({ plan })} />
        <MoreOptions draft={draft} setups={engineOf(draft.engine)?.setups ?? []} errorOf={errorOf} onChange={change} />
      </Box>
      <Box sx={foot}>
        <Box sx={{ flex: 1, ...muted }}>
          <Limits account={account} />
        </Box>
        <Box sx={{ display: { xs: 'none', sm: 'block' } }}>
          <CopyAs document={CreateStore} variables={{ input }} />
        </Box>
        <Button
          onClick={() => {
            clear()
            void navigate('/')
          }}
          sx={{ display: { xs: 'none', sm: 'inline-flex' } }}
        >
          {t('cancel')}
        </Button>
        <Button
          type="submit"
          variant="contained"
          color="primary"
          disabled={fetching || offline || !mayCreate}
          endIcon={<Kbd on="accent">{modifier} ↵</Kbd>}
          sx={{ height: { xs: 44, sm: 34 }, '& .MuiButton-endIcon': { display: { xs: 'none', sm: 'inherit' } } }}
        >
          {t('stores.create')}
        </Button>
      </Box>
    </Box>
  )
}

const head = {
  display: 'flex',
  alignItems: 'center',
  px: { xs: 4, sm: 6 },
  height: 56,
  flex: 'none',
  borderBottom: `1px solid ${vars.border}`,
}
const body = {
  px: { xs: 4, sm: 6 },
  py: 5,
  overflowY: 'auto',
  display: 'grid',
  gridTemplateColumns: 'minmax(0, 1fr)',
  gridAutoRows: 'max-content',
  gap: 6,
}
const foot = {
  display: 'flex',
  alignItems: 'center',
  gap: 2.5,
  px: { xs: 4, sm: 6 },
  py: 3,
  borderTop: `1px solid ${vars.border}`,
  flex: 'none',
  mt: 'auto',
}
