// supabase-js as a candidate: its clients, people and bucket, and how to clear up after it.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'

const require = createRequire(`${process.env.NODE_MODULES_HOME}/package.json`)
const { createClient } = require('@supabase/supabase-js')

export const MP3 = { contentType: 'audio/mpeg' }

export class Skipped extends Error {}

export const newEmail = () => `contract-${randomUUID()}@example.com`
export const newPassword = () => randomUUID()
export const pause = (seconds) => new Promise((resume) => setTimeout(resume, seconds * 1000))

/** The data of an answer without an error. */
export async function granted(answering) {
  const { data, error } = await answering
  assert.equal(error, null, error && `${error.name} ${error.code} ${error.message}`)
  return data
}

/** Checks that an answer is an error with these properties. */
export async function refused(answering, expected) {
  const { error } = await answering
  assert.ok(error, 'it was not refused')
  for (const [name, value] of Object.entries(expected)) assert.equal(error[name], value, name)
  return error
}

export class Candidate {
  constructor(settings) {
    this.settings = settings
    this.service = this.client(settings.serviceRoleKey)
    this.bucket = `contract-${randomUUID()}`
    this.userIds = []
  }

  /** A client with nobody signed in. */
  client(key = this.settings.anonKey) {
    const auth = { persistSession: false, autoRefreshToken: false }
    return createClient(this.settings.url, key, { auth })
  }

  /** Somebody new, whom the service key made. */
  async person(attributes = {}) {
    const credentials = { email: newEmail(), password: newPassword() }
    const { user } = await granted(
      this.service.auth.admin.createUser({ ...credentials, email_confirm: true, ...attributes }),
    )
    this.userIds.push(user.id)
    return { id: user.id, credentials, ...credentials }
  }

  /** Somebody new, and a client with them signed in. */
  async signedIn() {
    const client = this.client()
    const person = await this.person()
    const { session } = await granted(client.auth.signInWithPassword(person.credentials))
    return { client, person, session }
  }

  /** Somebody who stays signed in all through the suite: hosted projects count sign-ins. */
  async signedInBefore() {
    return (this.member ??= await this.signedIn())
  }

  /** A run in the database that belongs to somebody. */
  async runOf(person) {
    const row = { user_id: person.id, preset_key: 'universel-reset' }
    const runs = this.service.from('parcours_runs')
    return (await granted(runs.insert(row).select('id').single())).id
  }

  get objects() {
    return this.service.storage.from(this.bucket)
  }

  /** The name of a new object in the bucket. */
  async stored(content = 'music', options = MP3) {
    const name = `folder-${randomUUID()}/track.mp3`
    await granted(this.objects.upload(name, Buffer.from(content), options))
    return name
  }

  async content(name, objects = this.objects) {
    return Buffer.from(await (await granted(objects.download(name))).arrayBuffer())
  }

  async signedUrl(content, seconds = 60) {
    const name = await this.stored(content)
    return (await granted(this.objects.createSignedUrl(name, seconds))).signedUrl
  }

  async clearUp() {
    for (const { name, id } of await granted(this.objects.list('', { limit: 1000 }))) {
      const files = id ? [] : await granted(this.objects.list(name))
      const names = id ? [name] : files.map((file) => `${name}/${file.name}`)
      await granted(this.objects.remove(names))
    }
    await granted(this.service.storage.deleteBucket(this.bucket))
    await granted(this.service.from('parcours_runs').delete().in('user_id', this.userIds))
    for (const id of this.userIds) await granted(this.service.auth.admin.deleteUser(id))
  }
}

/** Lets a candidate with a bucket of its own work; whatever it made is removed afterwards. */
export async function withCandidate(settings, work) {
  const candidate = new Candidate(settings)
  const limits = { fileSizeLimit: settings.fileBytesMax, allowedMimeTypes: settings.mimeTypes }
  const { storage } = candidate.service
  await granted(storage.createBucket(candidate.bucket, { public: false, ...limits }))
  try {
    await work(candidate)
  } finally {
    await candidate.clearUp()
  }
}
