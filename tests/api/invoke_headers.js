// The headers that supabase-js sends with functions.invoke, which a browser asks about first.

import { createRequire } from 'node:module'

const require = createRequire(`${process.env.NODE_MODULES_HOME}/package.json`)
const { createClient } = require('@supabase/supabase-js')

const sent = new Set()
const listen = async (_, { headers }) => {
  new Headers(headers).forEach((_, name) => sent.add(name))
  return Response.json({})
}

const client = createClient('https://abc.supabase.co', 'anon', {
  auth: { persistSession: false, autoRefreshToken: false },
  global: { fetch: listen },
})
await client.functions.invoke('sign-track', {
  body: { segmentId: '1' },
  region: 'eu-west-3',
  headers: { 'Idempotency-Key': '1' },
})
console.log(JSON.stringify([...sent]))
