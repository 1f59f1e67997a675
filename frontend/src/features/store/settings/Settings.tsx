import { Box, Button } from '@mui/material'
import { useState } from 'react'
import { Annotated, SettingsRow } from '@/shared/components/Card'
import { CopyButton } from '@/shared/components/CopyButton'
import { DescriptionList } from '@/shared/components/DescriptionList'
import { ellipsis } from '@/shared/components/styles'
import { lostSince } from '@/shared/graphql/connection'
import { t } from '@/shared/i18n'
import { ArrowUp, Key, Pause, Play, Trash } from '@/shared/icons'
import { mono } from '@/shared/tokens'
import { useSession } from '@/features/session/viewer'
import { useEngines } from '@/features/stores/useEngines'
import { planText } from '@/features/stores/plans'
import { addressOf } from '@/features/stores/state'
import { countryName, currencyName, languageName } from '@/features/store/create/countries'
import { ResumeStore, RotatePassword, SuspendStore, type StoreDetail } from '@/features/store/documents'
import { ConfirmDialog } from './ConfirmDialog'
import { DeleteDialog } from './DeleteDialog'
import { PlanDialog } from './PlanDialog'

type Asked = 'plan' | 'suspend' | 'resume' | 'rotate' | 'delete'
/** Dialogs that a link opens. */
const LINKED: Record<string, Asked> = { '#delete': 'delete', '#resume': 'resume' }

/** What a store is, and what its owner can change. */
export function Settings({ store }: { store: StoreDetail }) {
  const { canWrite } = useSession()
  return (
    <Box>
      <Annotated title={t('settings.title')} text={t('settings.text')}>
        <WhatItIs store={store} />
      </Annotated>
      {canWrite && store.status !== 'DELETED' && <Changes store={store} />}
    </Box>
  )
}

function WhatItIs({ store }: { store: StoreDetail }) {
  const { engineOf, planOf } = useEngines()
  const plan = planOf(store.plan)
  return (
    <DescriptionList
      wide
      rows={[
        [t('create.name'), store.name],
        [
          t('about.address'),
          <>
            <Box component="span" dir="ltr" sx={ellipsis}>
              {addressOf(store)}
            </Box>
            <CopyButton text={store.url} label={t('store.copyAddress')} />
          </>,
        ],
        [
          t('about.engine'),
          t('settings.engineRelease', { engine: engineOf(store.engine)?.title ?? '', release: store.release }),
        ],
        [t('about.plan'), plan && t('settings.plan', { title: plan.title, ...planText(plan) })],
        [t('create.adminEmail'), store.adminEmail],
        [t('about.country'), countryName(store.country)],
        [t('about.currency'), `${store.currency} · ${currencyName(store.currency)}`],
        [t('about.language'), languageName(store.language)],
        [
          t('settings.id'),
          <>
            <Box component="span" dir="ltr" sx={{ fontFamily: mono, fontSize: '0.78125rem', ...ellipsis }}>
              {store.id}
            </Box>
            <CopyButton text={store.id} label={t('settings.copyId')} />
          </>,
        ],
      ]}
    />
  )
}

function Changes({ store }: { store: StoreDetail }) {
  const { engineOf } = useEngines()
  const offline = lostSince.use() !== null
  const [asked, setAsked] = useState<Asked | null>(() => LINKED[location.hash] ?? null)
  const close = () => setAsked(null)
  const { status } = store
  const suspended = status === 'SUSPENDED'
  return (
    <>
      <Annotated title={t('about.plan')} text={t('plan.about')}>
        <SettingsRow text={t('plan.text')}>
          <Button
            startIcon={<ArrowUp />}
            disabled={offline || !(status === 'READY' || status === 'FAILED')}
            onClick={() => setAsked('plan')}
          >
            {t('plan.open')}
          </Button>
        </SettingsRow>
      </Annotated>
      <Annotated title={t('suspend.title')} text={t('suspend.about')}>
        <SettingsRow text={suspended ? t('resume.text') : t('suspend.text')}>
          <Button
            startIcon={suspended ? <Play /> : <Pause />}
            disabled={offline || !(suspended || status === 'READY')}
            onClick={() => setAsked(suspended ? 'resume' : 'suspend')}
          >
            {suspended ? t('resume.open') : t('suspend.open')}
          </Button>
        </SettingsRow>
      </Annotated>
      {engineOf(store.engine)?.rotatesAdminPassword && (
        <Annotated title={t('rotate.title')} text={t('rotate.about')}>
          <SettingsRow text={t('rotate.text')}>
            <Button startIcon={<Key />} disabled={offline || status !== 'READY'} onClick={() => setAsked('rotate')}>
              {t('rotate.open')}
            </Button>
          </SettingsRow>
        </Annotated>
      )}
      <Annotated title={t('delete.title')} text={t('delete.about')} tone="bad">
        <SettingsRow text={t('delete.text')}>
          <Button
            color="error"
            startIcon={<Trash />}
            disabled={offline || status === 'DELETING'}
            onClick={() => setAsked('delete')}
          >
            {t('delete.open')}
          </Button>
        </SettingsRow>
      </Annotated>
      {asked === 'plan' && <PlanDialog store={store} onClose={close} />}
      {asked === 'suspend' && <ConfirmDialog kind="suspend" document={SuspendStore} store={store} onClose={close} />}
      {asked === 'resume' && <ConfirmDialog kind="resume" document={ResumeStore} store={store} onClose={close} />}
      {asked === 'rotate' && <ConfirmDialog kind="rotate" document={RotatePassword} store={store} onClose={close} />}
      {asked === 'delete' && <DeleteDialog store={store} onClose={close} />}
    </>
  )
}
