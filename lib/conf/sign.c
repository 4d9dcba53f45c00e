/* SPDX-License-Identifier: BSD-2-Clause */
/* Ed25519 by libsodium; PEM. */
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "../base/die.h"
#include "../base/file.h"
#include "report.h"
#include "sign.h"

#define BEGIN "-----BEGIN "
#define DASHES "-----"
#define LINE "\nsignature: "

static const unsigned char pkix[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};

static size_t base64(const char *s, size_t n, unsigned char *out, size_t room)
{
	size_t len = 0;

	if (sodium_base642bin(out, room, s, n, " \t\r\n", &len, NULL, sodium_base64_VARIANT_ORIGINAL))
		return 0;
	return len;
}

/* The block whose kind has n bytes at kind and whose body is len bytes: its key. False: it has none. */
static bool block_key(const char *path, const char *kind, size_t n, const unsigned char *body, size_t len,
		      unsigned char key[SIGN_KEY])
{
	unsigned char secret[crypto_sign_SECRETKEYBYTES];

	if (n == 10 && !memcmp(kind, "PUBLIC KEY", n)) {
		if (len != sizeof(pkix) + SIGN_KEY || memcmp(body, pkix, sizeof(pkix)))
			return false;
		memcpy(key, body + sizeof(pkix), SIGN_KEY);
	} else if (n == 27 && !memcmp(kind, "KERNLOOM ED25519 PUBLIC KEY", n)) {
		if (len != SIGN_KEY)
			return false;
		memcpy(key, body, SIGN_KEY);
	} else if (n == 28 && !memcmp(kind, "KERNLOOM ED25519 PRIVATE KEY", n)) {
		if (len != SIGN_KEY)
			return false;
		crypto_sign_seed_keypair(key, secret, body);
		sodium_memzero(secret, sizeof(secret));
		warn("%s: warning: a private key: the public one is all that is needed here", path);
	} else {
		return false;
	}
	return true;
}

void sign_key(const char *path, unsigned char key[SIGN_KEY])
{
	const char *kind, *body, *end;
	unsigned char raw[256];
	bool found = false;
	size_t n, len;
	char *text;

	if (sodium_init() < 0)
		die(KL_SYSTEM, "libsodium cannot be used");
	text = slurp(path, &n);
	if (!text)
		die(KL_USAGE, "cannot read '%s': %s", path, strerror(errno));
	kind = strstr(text, BEGIN);
	if (kind) {
		kind += strlen(BEGIN);
		body = strstr(kind, DASHES);
		end = body ? strstr(body + strlen(DASHES), DASHES "END ") : NULL;
		if (end) {
			len = base64(body + strlen(DASHES), (size_t)(end - body) - strlen(DASHES), raw,
				     sizeof(raw));
			found = block_key(path, kind, (size_t)(body - kind), raw, len, key);
			sodium_memzero(raw, sizeof(raw));
		}
	}
	sodium_memzero(text, n);
	free(text);
	if (!found)
		die(KL_USAGE,
		    "%s: expected an Ed25519 public key in PEM, a block PUBLIC KEY or KERNLOOM ED25519 "
		    "PUBLIC KEY",
		    path);
}

struct signature signature_of(const char *text, size_t n)
{
	struct signature s = { .signs = n };
	const char *p = text, *last = NULL;

	while ((p = memmem(p, n - (size_t)(p - text), LINE, strlen(LINE))))
		last = p++;
	if (!last)
		return s;
	s.found = true;
	s.signs = (size_t)(last - text) + 1;
	p = last + strlen(LINE);
	s.sound = base64(p, n - (size_t)(p - text), s.bytes, sizeof(s.bytes)) == sizeof(s.bytes);
	return s;
}

bool signature_holds(const struct signature *s, const char *text, const unsigned char key[SIGN_KEY])
{
	return s->sound && !crypto_sign_verify_detached(s->bytes, (const unsigned char *)text, s->signs, key);
}
