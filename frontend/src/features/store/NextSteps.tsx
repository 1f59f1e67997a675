import { Box, Link } from '@mui/material'
import { CopyButton } from '@/shared/components/CopyButton'
import { Section } from '@/shared/components/Card'
import { inset, plainList } from '@/shared/components/styles'
import { t } from '@/shared/i18n'
import { vars } from '@/shared/tokens'
import type { StoreDetail } from './documents'

/** Where each engine's owner adds a product, below the shop's address. */
const NEW_PRODUCT: Partial<Record<StoreDetail['engine'], string>> = {
  WOOCOMMERCE: 'wp-admin/post-new.php?post_type=product',
}

/** What an owner does next with a shop that is open. */
export function NextSteps({ store }: { store: StoreDetail }) {
  const path = NEW_PRODUCT[store.engine]
  const focusReveal = () => {
    const button = document.getElementById('reveal')
    button?.scrollIntoView({ block: 'center' })
    button?.focus()
  }
  return (
    <Section title={t('next.title')}>
      <Box component="ol" sx={{ ...plainList, py: 2 }}>
        <Item number={1}>
          <Link component="button" type="button" onClick={focusReveal} underline="always" sx={linkStyle}>
            {t('next.signIn')}
          </Link>
        </Item>
        {path && (
          <Item number={2}>
            <Link
              href={new URL(path, store.url).href}
              target="_blank"
              rel="noreferrer"
              underline="always"
              sx={linkStyle}
            >
              {t('next.addProduct')}
            </Link>
          </Item>
        )}
        <Item number={path ? 3 : 2}>
          {t('next.share')} <CopyButton text={store.url} label={t('store.copyAddress')} size={24} />
        </Item>
      </Box>
    </Section>
  )
}

const linkStyle = { font: 'inherit', textAlign: 'start', textDecorationColor: vars.borderStrong }

function Item({ number, children }: { number: number; children: React.ReactNode }) {
  return (
    <Box
      component="li"
      sx={{ display: 'flex', alignItems: 'center', gap: 3, ...inset, minHeight: 36, fontSize: '0.8125rem' }}
    >
      <Box aria-hidden component="span" sx={{ color: vars.textTertiary, width: 10 }}>
        {number}
      </Box>
      {children}
    </Box>
  )
}
