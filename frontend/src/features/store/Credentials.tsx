import { Box, Button, Link } from '@mui/material'
import { useEffect, useState } from 'react'
import { useMutation } from 'urql'
import { CopyButton } from '@/shared/components/CopyButton'
import { ErrorBanner } from '@/shared/components/ErrorBanner'
import { DescriptionList, type Description } from '@/shared/components/DescriptionList'
import { Section } from '@/shared/components/Card'
import { ellipsis, inset, tabular } from '@/shared/components/styles'
import { lostSince } from '@/shared/graphql/connection'
import type { ResultOf } from '@/shared/graphql/graphql'
import { userErrors } from '@/shared/graphql/errors'
import { t } from '@/shared/i18n'
import { Eye, EyeOff } from '@/shared/icons'
import { mono, vars } from '@/shared/tokens'
import { useSession } from '@/features/session/viewer'
import { RevealCredentials, type StoreDetail } from './documents'

const SHOWN_SECONDS = 60
type Shown = NonNullable<ResultOf<typeof RevealCredentials>['revealAdminCredentials']['credentials']>

/** How the owner signs in to the shop: asked for at each reveal, kept here only, hidden again after a minute. */
export function Credentials({ store }: { store: StoreDetail }) {
  const { canWrite } = useSession()
  const [{ fetching }, execute] = useMutation(RevealCredentials)
  const offline = lostSince.use() !== null
  const [shown, setShown] = useState<Shown | null>(null)
  const [left, setLeft] = useState(0)
  const [error, setError] = useState<string>()
  const visible = shown !== null

  useEffect(() => {
    if (!visible) return
    const timer = setInterval(() => setLeft((seconds) => seconds - 1), 1000)
    return () => clearInterval(timer)
  }, [visible])
  if (visible && left <= 0) setShown(null)

  const reveal = async () => {
    const result = await execute({ input: { id: store.id } })
    const credentials = result.data?.revealAdminCredentials.credentials ?? null
    setError(userErrors(result)[0]?.message)
    setShown(credentials)
    setLeft(SHOWN_SECONDS)
  }
  const rows: Description[] = shown
    ? [
        [
          t('credentials.where'),
          <>
            <Link href={shown.url} target="_blank" rel="noreferrer" dir="ltr" sx={ellipsis}>
              {shown.url.replace(/^https?:\/\//, '')}
            </Link>
            <CopyButton text={shown.url} label={t('store.copyAddress')} />
          </>,
        ],
        [t('credentials.user'), <Secret key="user" text={shown.username} label={t('credentials.copyUser')} />],
        [
          t('credentials.password'),
          <Secret key="password" text={shown.password} label={t('credentials.copyPassword')} />,
        ],
        ...(shown.pendingPassword === null
          ? []
          : [
              [
                t('credentials.nextPassword'),
                <Secret key="next" text={shown.pendingPassword} label={t('credentials.copyPassword')} />,
              ] satisfies Description,
            ]),
      ]
    : [
        [t('credentials.user'), <Dots key="user" />],
        [t('credentials.password'), <Dots key="password" />],
      ]
  return (
    <Section
      title={t('credentials.title')}
      aside={
        canWrite && (
          <Button
            id="reveal"
            size="small"
            startIcon={visible ? <EyeOff /> : <Eye />}
            disabled={fetching || offline}
            aria-expanded={visible}
            onClick={() => (visible ? setShown(null) : void reveal())}
          >
            {visible ? t('credentials.hide') : t('credentials.reveal')}
            {visible && (
              <Box component="span" sx={{ ml: 1.5, color: vars.textSecondary, ...tabular }}>
                {t('time.seconds', { n: left })}
              </Box>
            )}
          </Button>
        )
      }
    >
      {error && (
        <Box sx={{ ...inset, pt: 4 }}>
          <ErrorBanner>{error}</ErrorBanner>
        </Box>
      )}
      <DescriptionList wide rows={rows} />
      <Box
        sx={{
          ...inset,
          py: 3,
          borderTop: `1px solid ${vars.border}`,
          color: vars.textSecondary,
          fontSize: '0.8125rem',
        }}
      >
        {shown?.pendingPassword ? t('credentials.oneOfTwo') : t('credentials.audited')}
      </Box>
    </Section>
  )
}

function Secret({ text, label }: { text: string; label: string }) {
  return (
    <>
      <Box component="span" dir="ltr" sx={{ fontFamily: mono, overflowWrap: 'anywhere' }}>
        {text}
      </Box>
      <CopyButton text={text} label={label} />
    </>
  )
}

function Dots() {
  return (
    <Box
      component="span"
      role="img"
      aria-label={t('credentials.hidden')}
      sx={{ letterSpacing: '0.08em', fontSize: '1.25rem', lineHeight: 1, color: vars.textSecondary }}
    >
      ••••••••••••
    </Box>
  )
}
