import type { Owner } from '../../domain/files/attachments/attachments.ts'
import { makePdf, makePng, makeWav, makeZip } from './sampleFiles.ts'

export interface DemoFile {
  /** The idempotency key of the upload. An interrupted seed continues where it stopped. Never change it. */
  readonly key: string
  readonly by: string
  readonly name: string
  readonly contentType: string
  readonly content: Buffer
  /** The `key` of the file that this is a new version of. */
  readonly newVersionOf?: string
  readonly thenDeletedBy?: string
  /** A row of an imaginary host application that uses the file. */
  readonly attachedTo?: Owner
}

const logo = Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 120" width="120" height="120">
  <title>Acme Studio</title>
  <rect width="120" height="120" rx="24" fill="#1f3a5f"/>
  <path d="M28 92 60 28l32 64H74L60 62 46 92z" fill="#f4b942"/>
</svg>
`)

const gradient = () =>
  makePng(320, 200, (x, y) => [40 + Math.round((x / 320) * 200), 90 + Math.round((y / 200) * 120), 160])

const minutes = Buffer.from(`# Kick-off, 12 January

- Ada shows the new brand guidelines; Grace sends comments by Thursday.
- The press kit goes out with the launch.
- Vic asks for larger previews.
`)

const invoices = Buffer.from(`number,customer,issued,amount,currency
2026-001,Globex Research,2026-01-05,1250.00,EUR
2026-002,Initech,2026-01-19,480.50,EUR
2026-003,Globex Research,2026-02-02,990.00,EUR
`)

export const acmeFiles = (): DemoFile[] => [
  {
    key: 'demo-guidelines',
    by: 'ada@acme.example',
    name: 'Brand guidelines.pdf',
    contentType: 'application/pdf',
    content: makePdf('Brand guidelines', ['Draft for comments.', 'Colours: night blue and amber.']),
  },
  {
    key: 'demo-logo',
    by: 'grace@acme.example',
    name: 'logo.svg',
    contentType: 'image/svg+xml',
    content: logo,
  },
  { key: 'demo-cover', by: 'grace@acme.example', name: 'Cover.png', contentType: 'image/png', content: gradient() },
  {
    key: 'demo-invoices',
    by: 'sam@acme.example',
    name: 'Invoices 2026.csv',
    attachedTo: { ownerType: 'project', ownerId: 'globex-launch', slot: 'billing' },
    contentType: 'text/csv',
    content: invoices,
  },
  {
    key: 'demo-minutes',
    by: 'grace@acme.example',
    name: 'Kick-off.md',
    contentType: 'text/markdown',
    content: minutes,
  },
  {
    key: 'demo-draft',
    by: 'grace@acme.example',
    name: 'Slogans (first draft).txt',
    contentType: 'text/plain',
    content: Buffer.from('Acme: we make things.\nAcme: things, made.\n'),
    thenDeletedBy: 'ada@acme.example',
  },
  {
    key: 'demo-press-kit',
    by: 'sam@acme.example',
    name: 'Press kit.zip',
    contentType: 'application/zip',
    content: makeZip([
      { name: 'logo.svg', content: logo },
      { name: 'README.txt', content: Buffer.from('Please keep the clear space around the logo.\n') },
    ]),
  },
  {
    key: 'demo-jingle',
    by: 'grace@acme.example',
    name: 'Jingle.wav',
    contentType: 'audio/wav',
    content: makeWav([523, 659, 784, 1047]),
  },
  {
    key: 'demo-greetings',
    by: 'ada@acme.example',
    name: 'مرحبا 你好 🎉.txt',
    contentType: 'text/plain',
    content: Buffer.from('مرحبا — 你好 — hello 🎉\n'),
  },
  {
    key: 'demo-guidelines-2',
    by: 'grace@acme.example',
    name: 'Brand guidelines.pdf',
    contentType: 'application/pdf',
    content: makePdf('Brand guidelines', ['Second edition.', 'Colours: night blue, amber and white.', 'Type: Inter.']),
    newVersionOf: 'demo-guidelines',
  },
]

export const globexFiles = (): DemoFile[] => [
  {
    key: 'demo-protocol',
    by: 'hugo@globex.example',
    name: 'Protocol 7.md',
    contentType: 'text/markdown',
    content: Buffer.from(
      '# Protocol 7\n\n1. Warm up for ten minutes.\n2. Take three readings.\n3. Note the room temperature.\n',
    ),
  },
  {
    key: 'demo-readings',
    by: 'hugo@globex.example',
    name: 'Readings.json',
    contentType: 'application/json',
    content: Buffer.from(
      `${JSON.stringify({ instrument: 'G-7', unit: 'celsius', readings: [20.4, 20.6, 20.5] }, null, 2)}\n`,
    ),
  },
  {
    key: 'demo-figure',
    by: 'hugo@globex.example',
    name: 'Figure 1.png',
    contentType: 'image/png',
    content: makePng(240, 120, (x, y) =>
      Math.abs(60 - 40 * Math.sin(x / 20) - y) < 2 ? [180, 40, 60] : [250, 250, 245],
    ),
  },
]
