// Storage through supabase-js.

import assert from 'node:assert/strict'

import { granted, MP3, pause, refused } from './context.js'

const NOT_FOUND = { statusCode: '404', message: 'Object not found' }
const NOT_ALLOWED = { statusCode: '403' }

const tamper = (url) => url.slice(0, -8) + [...url.slice(-8)].reverse().join('')

async function checkRefusal(url, error) {
  const answer = await fetch(url)
  const said = await answer.json()
  assert.equal(answer.status, 400)
  assert.equal(said.statusCode, '400')
  assert.equal(said.error, error)
}

async function checkUntouchable(candidate, client) {
  const name = await candidate.stored('music')
  const objects = client.storage.from(candidate.bucket)
  const noise = Buffer.from('noise')
  // Reading a refusal of `download` takes supabase-js another step.
  assert.ok((await objects.download(name)).error)
  await refused(objects.createSignedUrl(name, 60), NOT_FOUND)
  await refused(objects.upload('intruder.mp3', noise, MP3), NOT_ALLOWED)
  await refused(objects.upload(name, noise, { ...MP3, upsert: true }), NOT_ALLOWED)
  assert.deepEqual(await granted(objects.list(name.split('/')[0])), [])
  assert.deepEqual(await granted(objects.remove([name])), [])
  assert.equal(String(await candidate.content(name)), 'music')
}

export const storage = {
  'a bucket tells its limits': async (candidate) => {
    const { service, bucket: id, settings } = candidate
    const bucket = await granted(service.storage.getBucket(id))
    assert.equal(bucket.name, id)
    assert.equal(bucket.public, false)
    assert.equal(bucket.file_size_limit, settings.fileBytesMax)
    assert.deepEqual(bucket.allowed_mime_types, settings.mimeTypes)
    const buckets = await granted(service.storage.listBuckets())
    assert.ok(buckets.some((other) => other.id === id))
    await refused(service.storage.getBucket('no-such-bucket'), { statusCode: '404' })
  },

  'an upload is downloaded byte for byte': async (candidate) => {
    const content = Buffer.alloc(76_800, Uint8Array.from({ length: 256 }, (_, index) => index))
    assert.deepEqual(await candidate.content(await candidate.stored(content)), content)
  },

  'an upload is listed in its folder': async (candidate) => {
    const [folder, file] = (await candidate.stored('four')).split('/')
    const [found] = await granted(candidate.objects.list(folder))
    assert.equal(found.name, file)
    assert.equal(found.metadata.size, 4)
    assert.equal(found.metadata.mimetype, 'audio/mpeg')
    const top = await granted(candidate.objects.list())
    assert.equal(top.find((entry) => entry.name === folder).id, null)
  },

  'a raw upload is stored like a form': async (candidate) => {
    const form = new Blob(['music'], { type: 'audio/mpeg' })
    await granted(candidate.objects.upload('raw/a track.mp3', form))
    assert.equal(String(await candidate.content('raw/a track.mp3')), 'music')
  },

  'a second upload of a name is refused': async (candidate) => {
    const name = await candidate.stored('first')
    const second = candidate.objects.upload(name, Buffer.from('second'), MP3)
    await refused(second, { statusCode: '409', message: 'The resource already exists' })
    assert.equal(String(await candidate.content(name)), 'first')
  },

  'an upsert replaces the object': async (candidate) => {
    const name = await candidate.stored('first')
    const options = { ...MP3, upsert: true }
    await granted(candidate.objects.upload(name, Buffer.from('second'), options))
    assert.equal(String(await candidate.content(name)), 'second')
    await granted(candidate.objects.update(name, Buffer.from('third'), MP3))
    assert.equal(String(await candidate.content(name)), 'third')
  },

  'a file of exactly the limit is taken': async (candidate) => {
    const { fileBytesMax } = candidate.settings
    const name = await candidate.stored(Buffer.alloc(fileBytesMax))
    assert.equal((await candidate.content(name)).length, fileBytesMax)
  },

  'one byte more than the limit is refused': async (candidate) => {
    const content = Buffer.alloc(candidate.settings.fileBytesMax + 1)
    const raw = candidate.objects.upload('big.mp3', content, MP3)
    await refused(raw, { statusCode: '413' })
    const form = candidate.objects.upload('big.mp3', new Blob([content], { type: 'audio/mpeg' }))
    await refused(form, { statusCode: '413' })
  },

  'a type that is not on the list is refused': async (candidate) => {
    const options = { contentType: 'text/plain' }
    const upload = candidate.objects.upload('text.txt', Buffer.from('text'), options)
    await refused(upload, { statusCode: '415' })
  },

  'a wildcard takes every type of its family': async (candidate) => {
    const name = await candidate.stored('pixels', { contentType: 'image/webp' })
    assert.equal((await granted(candidate.objects.info(name))).contentType, 'image/webp')
  },

  'a signed url serves the object to anybody': async (candidate) => {
    const answer = await fetch(await candidate.signedUrl('music'))
    assert.equal(answer.status, 200)
    assert.equal(await answer.text(), 'music')
    assert.equal(answer.headers.get('content-type'), 'audio/mpeg')
    assert.ok(answer.headers.get('etag'))
  },

  'a signed url serves ranges': async (candidate) => {
    const url = await candidate.signedUrl('0123456789')
    const answer = await fetch(url, { headers: { range: 'bytes=2-5' } })
    assert.equal(answer.status, 206)
    assert.equal(await answer.text(), '2345')
    assert.equal(answer.headers.get('content-range'), 'bytes 2-5/10')
  },

  'a range past the end is refused': async (candidate) => {
    const url = await candidate.signedUrl('0123456789')
    const answer = await fetch(url, { headers: { range: 'bytes=10-' } })
    // Hosted Storage hides the status that its object store answers.
    assert.equal(answer.status, 416)
  },

  'a page of another origin may play a signed url': async (candidate) => {
    const origin = 'https://clinic.example'
    const headers = { origin, range: 'bytes=0-' }
    const answer = await fetch(await candidate.signedUrl('music'), { headers })
    assert.ok(['*', origin].includes(answer.headers.get('access-control-allow-origin')))
  },

  'a signed url that was tampered with is refused': async (candidate) => {
    await checkRefusal(tamper(await candidate.signedUrl('music')), 'InvalidJWT')
  },

  'a signed url that expired is refused': async (candidate) => {
    const url = await candidate.signedUrl('music', 1)
    await pause(2.1)
    await checkRefusal(url, 'InvalidJWT')
  },

  'a signed url opens no other object': async (candidate) => {
    const url = new URL(await candidate.signedUrl('music'))
    const other = await candidate.stored('another')
    url.pathname = `/storage/v1/object/sign/${candidate.bucket}/${other}`
    await checkRefusal(url, 'InvalidSignature')
  },

  'what is not there is not signed': async (candidate) => {
    await refused(candidate.objects.createSignedUrl('nothing.mp3', 60), NOT_FOUND)
  },

  'several objects are signed at once': async (candidate) => {
    const name = await candidate.stored('music')
    const signing = candidate.objects.createSignedUrls([name, 'nothing.mp3'], 60)
    const [found, missing] = await granted(signing)
    assert.equal(await (await fetch(found.signedUrl)).text(), 'music')
    assert.equal(found.error, null)
    assert.equal(missing.signedUrl, null)
    assert.ok(missing.error)
  },

  'anon may not touch a private bucket': async (candidate) => {
    await checkUntouchable(candidate, candidate.client())
  },

  'users may not touch a private bucket': async (candidate) => {
    await checkUntouchable(candidate, (await candidate.signedInBefore()).client)
  },

  'a deleted object is gone': async (candidate) => {
    const name = await candidate.stored('music')
    const [deleted] = await granted(candidate.objects.remove([name]))
    assert.equal(deleted.name, name)
    assert.equal((await candidate.objects.exists(name)).data, false)
    assert.ok((await candidate.objects.download(name)).error)
  },

  'a bucket with objects is not deleted': async (candidate) => {
    await candidate.stored('music')
    await refused(candidate.service.storage.deleteBucket(candidate.bucket), { statusCode: '409' })
  },
}
