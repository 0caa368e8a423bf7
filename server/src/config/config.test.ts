import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { ConfigurationError, readConfig } from './config.ts'
import { configVariables } from './variables.ts'

const external = {
  DATABASE_URL: 'postgres://a:b@db/c',
  S3_ENDPOINT: 'https://s3.example.com/',
  S3_BUCKET: 'files',
  S3_ACCESS_KEY_ID: 'id',
  S3_SECRET_ACCESS_KEY: 'secret',
}

describe('the configuration', () => {
  it('needs no variable', () => {
    expect(readConfig({})).toMatchObject({
      http: { host: '127.0.0.1', port: 4000, publicUrl: null },
      database: { kind: 'embedded' },
      bucket: { kind: 'embedded' },
      jwt: null,
      seedDemo: true,
      warnings: [],
    })
  })

  it('replaces each embedded part separately', () => {
    const { DATABASE_URL, ...bucket } = external
    expect(readConfig({ DATABASE_URL })).toMatchObject({
      database: { kind: 'external', url: DATABASE_URL, migrationUrl: DATABASE_URL },
      bucket: { kind: 'embedded' },
      seedDemo: false,
    })
    expect(readConfig(bucket)).toMatchObject({
      database: { kind: 'embedded' },
      bucket: {
        kind: 'external',
        endpoint: 'https://s3.example.com',
        publicEndpoint: 'https://s3.example.com',
        forcePathStyle: true,
      },
    })
  })

  it('drains only if another process can serve the same data', () => {
    const { DATABASE_URL, ...bucket } = external
    const drains = [{}, { DATABASE_URL }, bucket, external, { SHUTDOWN_DRAIN_SECONDS: '7' }]
    expect(drains.map((environment) => readConfig(environment).drainSeconds)).toEqual([0, 0, 0, 5, 7])
  })

  it('is deeply frozen', () => {
    const config = readConfig(external)
    expect(Object.isFrozen(config) && Object.isFrozen(config.http) && Object.isFrozen(config.http.allowedOrigins)).toBe(
      true,
    )
  })

  it('keeps the URL of a key set unchanged', () => {
    const jwt = { JWT_JWKS_URL: 'https://id.example.com/keys/', JWT_AUDIENCE: 'a', JWT_ISSUER: 'b' }
    expect(readConfig(jwt).jwt?.key).toEqual({ kind: 'jwks', url: 'https://id.example.com/keys/' })
  })

  it.each([
    [
      'PURGE_GRACE_SECONDS',
      ['0', '1', '600', '659'],
      '660',
      /from 660 to \d+, because an upload address works for 600 seconds/,
    ],
    ['ORPHAN_GRACE_SECONDS', ['0', '1', '3599'], '3600', /from 3600 to \d+, because after a wrong restore/],
  ] as const)('refuses a %s that would delete too early, and gives the reason', (name, refused, least, why) => {
    for (const value of refused) {
      const read = () => readConfig({ [name]: value })
      expect(read).toThrow(name)
      expect(read).toThrow(why)
    }
    const { purgeGraceMs, orphanGraceMs } = readConfig({ [name]: least }).cleanup
    expect([purgeGraceMs, orphanGraceMs]).toContain(Number(least) * 1000)
  })

  it('treats an empty variable as not set', () => {
    expect(readConfig({ PORT: '', DATABASE_URL: ' ' })).toEqual(readConfig({}))
  })

  it.each([
    [{ PORT: 'abc' }, 'PORT'],
    [{ PORT: '65536' }, 'PORT'],
    [{ DATABASE_URL: 'mysql://x' }, 'DATABASE_URL'],
    [{ DATABASE_MIGRATION_URL: 'postgres://x' }, 'DATABASE_URL'],
    [{ S3_ENDPOINT: 'https://s3' }, 'S3_BUCKET'],
    [{ ...external, S3_ENDPOINT: 's3.example.com' }, 'S3_ENDPOINT'],
    [{ ...external, S3_FORCE_PATH_STYLE: 'maybe' }, 'S3_FORCE_PATH_STYLE'],
    [{ ALLOWED_ORIGINS: 'https://a.example/path' }, 'ALLOWED_ORIGINS'],
    [{ JWT_SECRET: 'x'.repeat(40), JWT_AUDIENCE: 'a' }, 'JWT_ISSUER'],
    [{ JWT_SECRET: 'short', JWT_AUDIENCE: 'a', JWT_ISSUER: 'b' }, 'JWT_SECRET'],
    [{ JWT_SECRET: 'x'.repeat(40), JWT_AUDIENCE: 'a', JWT_ISSUER: 'b', JWT_ALGORITHMS: 'none' }, 'JWT_ALGORITHMS'],
    [{ JWT_SECRET: 'x'.repeat(40), JWT_AUDIENCE: 'a', JWT_ISSUER: 'b', JWT_ALGORITHMS: 'RS256' }, 'JWT_ALGORITHMS'],
    [{ JWT_JWKS_URL: 'https://k', JWT_AUDIENCE: 'a', JWT_ISSUER: 'b', JWT_ALGORITHMS: 'HS256' }, 'JWT_ALGORITHMS'],
    [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL'],
    [{ METRICS_PORT: 'x' }, 'METRICS_PORT'],
    [{ METRICS_PORT: '4000' }, 'METRICS_PORT'],
    [{ PUBLIC_URL: 'ftp://example.com' }, 'PUBLIC_URL'],
    [{ PUBLIC_URL: 'https://example.com/files?x=1' }, 'PUBLIC_URL'],
    [{ PUBLIC_URL: 'https://example.com/#x' }, 'PUBLIC_URL'],
    [{ PUBLIC_URL: 'https://ada:secret@example.com' }, 'PUBLIC_URL'],
    [{ PUBLIC_URL: 'https://example.com/a//b' }, 'PUBLIC_URL'],
    [{ PUBLIC_URL: 'https://example.com/a b' }, 'PUBLIC_URL'],
    [{ PUBLIC_URL: 'https://example.com/"><script>' }, 'PUBLIC_URL'],
    [{ PUBLIC_URL: 'https://example.com/a;path=/b' }, 'PUBLIC_URL'],
    [{ PUBLIC_URL: 'https://example.com/graphql' }, 'PUBLIC_URL'],
    [{ PUBLIC_URL: 'https://example.com/bucket/x' }, 'PUBLIC_URL'],
    [{ S3_REGION: 'auto' }, 'S3_ENDPOINT'],
    [{ JWT_ISSUER: 'https://id.example.com' }, 'JWT_JWKS_URL'],
    [{ JWT_SECRET: 'x'.repeat(40), JWT_JWKS_URL: 'https://k', JWT_AUDIENCE: 'a', JWT_ISSUER: 'b' }, 'JWT_SECRET'],
  ])('reports the variable, the problem and an example: %o', (environment, name) => {
    const refusal = () => readConfig(environment)
    expect(refusal).toThrow(ConfigurationError)
    expect(refusal).toThrow(
      new RegExp(`^${name} (or JWT_SECRET has to|has to|holds|cannot).+, for example ${name}=`, 'm'),
    )
  })

  it('reports all problems at once', () => {
    expect(() => readConfig({ PORT: 'x', LOG_LEVEL: 'y' })).toThrow(/PORT.*\nLOG_LEVEL/)
  })

  it('warns about a name that looks misspelled', () => {
    expect(readConfig({ S3_BUKET: 'x' }).warnings).toEqual([expect.stringContaining('S3_BUKET')])
  })

  it.each([
    ['https://files.example.com/', 'https://files.example.com'],
    ['https://Example.com:443/files//', 'https://example.com/files'],
    ['http://[FD00::2]:4000', 'http://[fd00::2]:4000'],
    ['https://example.com/tools/file-graph_2.0~x', 'https://example.com/tools/file-graph_2.0~x'],
  ])('reads PUBLIC_URL=%s as %s', (text, publicUrl) => {
    expect(readConfig({ PUBLIC_URL: text }).http.publicUrl).toBe(publicUrl)
  })

  const https = { PUBLIC_URL: 'https://files.example.com', TRUST_PROXY: 'true' }
  it.each([
    [{}, []],
    [{ HOST: '::1' }, []],
    [{ HOST: 'localhost' }, []],
    [{ ...https }, []],
    [{ ...https, HOST: '0.0.0.0' }, []],
    [{ ...external, ...https }, []],
    [{ ...external, S3_ENDPOINT: 'http://localhost:9000' }, []],
    [{ HOST: '0.0.0.0' }, [/plain HTTP.* PUBLIC_URL/]],
    [{ HOST: '192.0.2.2' }, [/plain HTTP.* PUBLIC_URL/]],
    [{ PUBLIC_URL: 'http://files.lan' }, [/not encrypted.* PUBLIC_URL/]],
    [{ PUBLIC_URL: 'http://localhost:4000' }, []],
    [{ PUBLIC_URL: 'http://localhost:4000', HOST: '0.0.0.0' }, [/themselves.* PUBLIC_URL/]],
    [{ PUBLIC_URL: 'https://files.example.com' }, [/TRUST_PROXY=true/]],
    [
      { PUBLIC_URL: 'http://localhost:4000', ALLOWED_ORIGINS: 'https://app.example' },
      [/https:\/\/app\.example.* PUBLIC_URL/],
    ],
    [{ ...external, ...https, S3_ENDPOINT: 'http://s3.example.com' }, [/not encrypted.* S3_PUBLIC_ENDPOINT/]],
    [{ ...external, ...https, S3_ENDPOINT: 'http://127.0.0.1:9000' }, [/themselves.* S3_PUBLIC_ENDPOINT/]],
    [{ ...external, ...https, S3_ENDPOINT: 'http://s3', S3_PUBLIC_ENDPOINT: 'https://s3.example.com' }, []],
    [{ ...external, HOST: '::' }, [/plain HTTP/, /CORS.* PUBLIC_URL.* cors apply/]],
    [{ ...external, HOST: '::', S3_ENDPOINT: 'http://[::1]:9000' }, [/plain HTTP/, /S3_PUBLIC_ENDPOINT/, /CORS/]],
  ])('warns about addresses that cannot work together, with a remedy: %o', (environment, sentences) => {
    expect(readConfig(environment).warnings).toEqual(sentences.map((sentence) => expect.stringMatching(sentence)))
  })

  const secrets = ['DATABASE_URL', 'DATABASE_MIGRATION_URL', 'S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY', 'JWT_SECRET']
  const complete: Readonly<Record<string, string>> = {
    ...external,
    DATABASE_MIGRATION_URL: 'postgres://owner:b@db/c',
    JWT_SECRET: 'a secret of at least 32 characters ',
    JWT_ISSUER: 'a',
    JWT_AUDIENCE: 'b',
  }

  it('reads each secret from a file, without its last newline', () => {
    const folder = mkdtempSync(join(tmpdir(), 'filegraph-secrets-'))
    const files: Record<string, string> = { ...complete }
    for (const name of secrets) {
      files[`${name}_FILE`] = join(folder, name)
      writeFileSync(join(folder, name), `${complete[name]}${name === 'JWT_SECRET' ? '\r\n' : '\n'}`)
      delete files[name]
    }
    const config = readConfig(files)
    const { jwt } = readConfig(complete)
    expect(config).toEqual({
      ...readConfig(complete),
      // The environment drops blanks around a value, and a file keeps them.
      jwt: { ...jwt, key: { kind: 'secret', secret: complete['JWT_SECRET'] } },
    })
    expect(config.warnings).toEqual([])
    rmSync(folder, { recursive: true })
  })

  it.each(secrets)('refuses %s beside its file, and a file that cannot be read', (name) => {
    const path = '/nowhere/secret'
    expect(() => readConfig({ ...complete, [`${name}_FILE`]: path })).toThrow(
      new RegExp(`^${name} and ${name}_FILE cannot both be set$`, 'm'),
    )
    const { [name]: _, ...others } = complete
    expect(() => readConfig({ ...others, [`${name}_FILE`]: path })).toThrow(
      `${name}_FILE names ${path}, which cannot be read (ENOENT)`,
    )
  })

  it('refuses an empty file, which would select an embedded part', () => {
    expect(() => readConfig({ DATABASE_URL_FILE: '/dev/null' })).toThrow(
      'DATABASE_URL_FILE names /dev/null, which is empty',
    )
  })

  it('has no file for what is not a secret', () => {
    expect(readConfig({ S3_REGION_FILE: '/x' }).warnings).toEqual([expect.stringContaining('S3_REGION_FILE')])
  })

  it('shows no secret in a problem', () => {
    const { S3_BUCKET: _, ...incomplete } = { ...external, S3_SECRET_ACCESS_KEY: 'very-secret' }
    expect(() => readConfig(incomplete)).toThrow(/^(?!.*very-secret)/s)
  })
})

const tableInReadme = /(<!-- configuration:start -->\n)[\s\S]*?(\n<!-- configuration:end -->)/

describe('the table of variables', () => {
  it('is in the README; rewrite it with `npm test -- config --update`', async () => {
    const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')
    const table = [
      '| Variable | What it does | Unless set | Example |',
      '| --- | --- | --- | --- |',
      ...configVariables.map((v) => `| \`${v.name}\` | ${v.description} | ${v.fallback} | \`${v.example}\` |`),
    ].join('\n')
    expect(readme).toMatch(tableInReadme)
    // A function, since a dollar sign in a string would stand for something.
    const asInCode = readme.replace(tableInReadme, (_, before: string, after: string) => `${before}${table}${after}`)
    await expect(asInCode).toMatchFileSnapshot('../../../README.md')
  })

  it('lists every variable that the code reads; only main.ts reads the environment', () => {
    const folder = fileURLToPath(new URL('..', import.meta.url))
    const reading = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.includes('testing/'))
      .filter((file) => /process\.env(?!\['PATH'\])/.test(readFileSync(join(folder, file), 'utf8')))
    expect(reading).toEqual(['main.ts'])
  })
})
