"""What a Supabase project must do for its clients: one list, for every client and every project."""

AUTH = (
    "signing up answers a session and a confirmed user",
    "an address that is taken is refused",
    "signing in with the password answers a session",
    "a wrong password is refused",
    "an unknown address is refused like a wrong password",
    "an unconfirmed address may not sign in",
    "a refresh token is exchanged for a new one",
    "a reused refresh token is refused",
    "a refresh token may be used again at once",
    "a malformed refresh token is refused",
    "get user answers whose token it is",
    "a token that was tampered with is refused",
    "the api keys are nobody",
    "updating a user merges the metadata",
    "a new password replaces the old one",
    "a short password is refused with its reason",
    "an anonymous sign in answers an anonymous user",
    "the token of a session that ended is refused",
    "get claims verifies a token",
    "the service key creates finds and deletes a user",
    "a user that is deleted is not found",
    "a soft deleted user keeps an id and nothing personal",
    "a banned user neither signs in nor stays",
    "only the service key administers users",
)

DATABASE = (
    "anon is refused what is not granted",
    "users see their own rows only",
    "users change granted columns only",
    "the service key sees every row",
    "one row that is not there is an error",
    "an unknown function is an error",
    "a function refuses in its own words",
    "a function that is not granted is refused",
    "a foreign api key is refused",
)

STORAGE = (
    "a bucket tells its limits",
    "an upload is downloaded byte for byte",
    "an upload is listed in its folder",
    "a raw upload is stored like a form",
    "a second upload of a name is refused",
    "an upsert replaces the object",
    "a file of exactly the limit is taken",
    "one byte more than the limit is refused",
    "a type that is not on the list is refused",
    "a wildcard takes every type of its family",
    "a signed url serves the object to anybody",
    "a signed url serves ranges",
    "a range past the end is refused",
    "a page of another origin may play a signed url",
    "a signed url that was tampered with is refused",
    "a signed url that expired is refused",
    "a signed url opens no other object",
    "what is not there is not signed",
    "several objects are signed at once",
    "anon may not touch a private bucket",
    "users may not touch a private bucket",
    "a deleted object is gone",
    "a bucket with objects is not deleted",
)

BEHAVIOURS = AUTH + DATABASE + STORAGE

# The bucket that a client makes for the contract tests.
BUCKET_FILE_BYTES_MAX = 100_000
BUCKET_MIME_TYPES = ["audio/mpeg", "image/*"]

# Hosted Auth takes a used refresh token for a slip of the client's within this time.
REUSE_INTERVAL_S = 10
