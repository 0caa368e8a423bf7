import { defineConfig } from 'drizzle-kit'

// Both are set by the scripts of launch/ that run drizzle-kit.
const { DRIZZLE_FOLDER: folder = '../drizzle', DRIZZLE_URL: url } = process.env

export default defineConfig({
  dialect: 'postgresql',
  schema: './src/database/tables/*Tables.ts',
  out: folder,
  ...(url !== undefined && { dbCredentials: { url } }),
})
