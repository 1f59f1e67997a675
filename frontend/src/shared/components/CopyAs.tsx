import { Button, Menu, MenuItem } from '@mui/material'
import { stringifyDocument, type DocumentInput } from '@urql/core'
import { useState } from 'react'
import { t } from '@/shared/i18n'
import { Code } from '@/shared/icons'
import { LANGUAGES, snippet, type SnippetLanguage } from '@/shared/snippets'

const FEEDBACK_MS = 1500

/** Copies the request that a dialog would send, for use with an API token. */
export function CopyAs({ document, variables }: { document: DocumentInput; variables: object }) {
  const [anchor, setAnchor] = useState<HTMLElement | null>(null)
  const [copied, setCopied] = useState(false)
  const copy = async (language: SnippetLanguage) => {
    setAnchor(null)
    const query = stringifyDocument(document)
    await navigator.clipboard.writeText(snippet(language, { url: `${location.origin}/graphql`, query, variables }))
    setCopied(true)
    setTimeout(() => setCopied(false), FEEDBACK_MS)
  }
  return (
    <>
      <Button
        variant="text"
        startIcon={<Code />}
        aria-haspopup="menu"
        onClick={(event) => setAnchor(event.currentTarget)}
        sx={{ ml: -2, px: 2 }}
      >
        {copied ? t('copy.done') : t('copy.as')}
      </Button>
      <Menu anchorEl={anchor} open={anchor !== null} onClose={() => setAnchor(null)}>
        {LANGUAGES.map((language) => (
          <MenuItem key={language} onClick={() => void copy(language)}>
            {t('copy.asLanguage', { language })}
          </MenuItem>
        ))}
      </Menu>
    </>
  )
}
