// Auth through supabase-js.

import assert from 'node:assert/strict'

import { granted, newEmail, newPassword, pause, refused, Skipped } from './context.js'

const tamper = (token) => {
  const [header, claims, signature] = token.split('.')
  return [header, claims, [...signature].reverse().join('')].join('.')
}

export const auth = {
  'signing up answers a session and a confirmed user': async (candidate) => {
    if (!candidate.settings.letsSignUp) throw new Skipped('this project confirms by mail')
    const email = newEmail()
    const options = { data: { first_name: 'Ada' } }
    const { user, session } = await granted(
      candidate.client().auth.signUp({ email, password: newPassword(), options }),
    )
    candidate.userIds.push(user.id)
    assert.equal(session.token_type, 'bearer')
    assert.equal(session.expires_in, 3600)
    assert.equal(user.email, email)
    assert.ok(user.email_confirmed_at)
    assert.equal(user.user_metadata.first_name, 'Ada')
    assert.deepEqual(user.app_metadata, { provider: 'email', providers: ['email'] })
    assert.deepEqual(user.identities.map((identity) => identity.provider), ['email'])
  },

  'an address that is taken is refused': async (candidate) => {
    const { email } = await candidate.person()
    const again = candidate.service.auth.admin.createUser({ email: email.toUpperCase() })
    await refused(again, { code: 'email_exists', status: 422 })
  },

  'signing in with the password answers a session': async (candidate) => {
    const { person, session } = await candidate.signedIn()
    assert.equal(session.user.id, person.id)
    assert.ok(session.user.last_sign_in_at)
    assert.ok(session.access_token && session.refresh_token)
  },

  'a wrong password is refused': async (candidate) => {
    const { email } = await candidate.person()
    const attempt = candidate.client().auth.signInWithPassword({ email, password: 'a guess' })
    await refused(attempt, { code: 'invalid_credentials', status: 400 })
  },

  'an unknown address is refused like a wrong password': async (candidate) => {
    const credentials = { email: newEmail(), password: 'a guess' }
    const attempt = candidate.client().auth.signInWithPassword(credentials)
    await refused(attempt, { code: 'invalid_credentials', status: 400 })
  },

  'an unconfirmed address may not sign in': async (candidate) => {
    const { credentials } = await candidate.person({ email_confirm: false })
    const attempt = candidate.client().auth.signInWithPassword(credentials)
    await refused(attempt, { code: 'email_not_confirmed', status: 400 })
  },

  'a refresh token is exchanged for a new one': async (candidate) => {
    const { client, person, session } = await candidate.signedIn()
    const { session: after } = await granted(client.auth.refreshSession())
    assert.notEqual(after.refresh_token, session.refresh_token)
    assert.equal(after.user.id, person.id)
  },

  'a reused refresh token is refused': async (candidate) => {
    const { client, session } = await candidate.signedIn()
    await granted(client.auth.refreshSession())
    await granted(client.auth.refreshSession())
    await pause(candidate.settings.reuseIntervalSeconds + 1)
    const reuse = client.auth.refreshSession({ refresh_token: session.refresh_token })
    await refused(reuse, { code: 'refresh_token_already_used', status: 400 })
  },

  'a refresh token may be used again at once': async (candidate) => {
    const { client, session } = await candidate.signedIn()
    const again = () => client.auth.refreshSession({ refresh_token: session.refresh_token })
    const { session: made } = await granted(again())
    const { session: same } = await granted(again())
    assert.equal(same.refresh_token, made.refresh_token)
  },

  'a malformed refresh token is refused': async (candidate) => {
    const asked = candidate.client().auth.refreshSession({ refresh_token: 'no token' })
    await refused(asked, { code: 'validation_failed', status: 400 })
  },

  'get user answers whose token it is': async (candidate) => {
    const { client, person } = await candidate.signedInBefore()
    const { user } = await granted(client.auth.getUser())
    assert.equal(user.id, person.id)
    assert.equal(user.email, person.email)
    assert.equal(user.role, 'authenticated')
    assert.equal(user.is_anonymous, false)
  },

  'a token that was tampered with is refused': async (candidate) => {
    const { client, session } = await candidate.signedInBefore()
    const asked = client.auth.getUser(tamper(session.access_token))
    await refused(asked, { code: 'bad_jwt', status: 403 })
  },

  'the api keys are nobody': async (candidate) => {
    for (const key of [candidate.settings.anonKey, candidate.settings.serviceRoleKey]) {
      await refused(candidate.client().auth.getUser(key), { code: 'bad_jwt', status: 403 })
    }
  },

  'updating a user merges the metadata': async (candidate) => {
    const { client } = await candidate.signedInBefore()
    await granted(client.auth.updateUser({ data: { mood: 'calm', theme: 'dark' } }))
    const { user } = await granted(client.auth.updateUser({ data: { mood: 'glad', theme: null } }))
    assert.equal(user.user_metadata.mood, 'glad')
    assert.ok(!('theme' in user.user_metadata))
  },

  'a new password replaces the old one': async (candidate) => {
    const { client, person } = await candidate.signedIn()
    const password = newPassword()
    await granted(client.auth.updateUser({ password }))
    const attempt = client.auth.signInWithPassword(person.credentials)
    await refused(attempt, { code: 'invalid_credentials', status: 400 })
    await granted(client.auth.signInWithPassword({ email: person.email, password }))
  },

  'a short password is refused with its reason': async (candidate) => {
    const { client } = await candidate.signedInBefore()
    const change = client.auth.updateUser({ password: 'tiny' })
    const { reasons } = await refused(change, { code: 'weak_password', status: 422 })
    assert.ok(reasons.includes('length'))
  },

  'an anonymous sign in answers an anonymous user': async (candidate) => {
    if (!candidate.settings.letsStayAnonymous) throw new Skipped('no anonymous users here')
    const client = candidate.client()
    const { user, session } = await granted(client.auth.signInAnonymously())
    candidate.userIds.push(user.id)
    assert.equal(user.is_anonymous, true)
    const { claims } = await granted(client.auth.getClaims(session.access_token))
    assert.equal(claims.is_anonymous, true)
    assert.equal(claims.role, 'authenticated')
  },

  'the token of a session that ended is refused': async (candidate) => {
    const { client, session } = await candidate.signedIn()
    assert.equal((await client.auth.signOut()).error, null)
    // supabase-js has its own word for session_not_found.
    const asked = client.auth.getUser(session.access_token)
    await refused(asked, { name: 'AuthSessionMissingError' })
  },

  'get claims verifies a token': async (candidate) => {
    const { client, person, session } = await candidate.signedInBefore()
    const { claims } = await granted(client.auth.getClaims(session.access_token))
    assert.equal(claims.sub, person.id)
    assert.equal(claims.aud, 'authenticated')
    assert.equal(claims.role, 'authenticated')
    assert.equal(claims.iss, `${candidate.settings.url}/auth/v1`)
    assert.equal(claims.email, person.email)
    assert.ok(claims.session_id)
    await refused(client.auth.getClaims(tamper(session.access_token)), {})
  },

  'the service key creates finds and deletes a user': async (candidate) => {
    const { admin } = candidate.service.auth
    const { id, email } = await candidate.person({ user_metadata: { first_name: 'Ada' } })
    const { user } = await granted(admin.getUserById(id))
    assert.equal(user.email, email)
    assert.equal(user.user_metadata.first_name, 'Ada')
    await granted(admin.deleteUser(id))
    candidate.userIds = candidate.userIds.filter((other) => other !== id)
    await refused(admin.getUserById(id), { code: 'user_not_found', status: 404 })
  },

  'a user that is deleted is not found': async (candidate) => {
    const { client, person, session } = await candidate.signedIn()
    await granted(candidate.service.auth.admin.deleteUser(person.id))
    candidate.userIds = candidate.userIds.filter((other) => other !== person.id)
    const asked = client.auth.getUser(session.access_token)
    await refused(asked, { code: 'user_not_found', status: 403 })
  },

  'a soft deleted user keeps an id and nothing personal': async (candidate) => {
    const { admin } = candidate.service.auth
    const { client, person, session } = await candidate.signedIn()
    await granted(admin.deleteUser(person.id, true))
    const { user } = await granted(admin.getUserById(person.id))
    assert.notEqual(user.email, person.email)
    assert.ok(!JSON.stringify(user.identities).includes(person.email))
    assert.deepEqual(user.user_metadata, {})
    // supabase-js has its own word for session_not_found.
    const asked = client.auth.getUser(session.access_token)
    await refused(asked, { name: 'AuthSessionMissingError' })
    const { email, password } = person
    const attempt = candidate.client().auth.signInWithPassword({ email, password })
    await refused(attempt, { code: 'invalid_credentials', status: 400 })
  },

  'a banned user neither signs in nor stays': async (candidate) => {
    const { admin } = candidate.service.auth
    const { client, person } = await candidate.signedIn()
    await granted(admin.updateUserById(person.id, { ban_duration: '1h' }))
    await refused(client.auth.refreshSession(), { code: 'user_banned', status: 400 })
    await granted(admin.updateUserById(person.id, { ban_duration: 'none' }))
    const { email, password } = person
    await granted(candidate.client().auth.signInWithPassword({ email, password }))
  },

  'only the service key administers users': async (candidate) => {
    const { id } = await candidate.person()
    const asked = candidate.client().auth.admin.getUserById(id)
    await refused(asked, { code: 'not_admin', status: 403 })
  },
}
