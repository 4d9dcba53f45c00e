/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signed files: all bytes up to a last line "signature: BASE64", an Ed25519
 * signature (RFC 8032) of those bytes. Only the public key is needed to check one.
 */
#ifndef KL_CONF_SIGN_H
#define KL_CONF_SIGN_H

#include <stdbool.h>
#include <stddef.h>

#define SIGN_KEY 32		/* bytes of a public key */
#define SIGN_BYTES 64		/* of a signature */

/* The public key of a PEM file (RFC 7468): a block PUBLIC KEY (RFC 8410), or KERNLOOM ED25519 PUBLIC KEY,
 * whose body is the 32 bytes, or KERNLOOM ED25519 PRIVATE KEY, the 32 bytes it is made of, which is said to
 * be more than needed. Ends the command (status 2) when it has none. */
void sign_key(const char *path, unsigned char key[SIGN_KEY]);

struct signature {
	bool found, sound;	/* there is such a line; it holds 64 bytes */
	size_t signs;		/* bytes of the text before it */
	unsigned char bytes[SIGN_BYTES];
};

/* The signature of the n bytes at text. */
struct signature signature_of(const char *text, size_t n);
/* Whether it is one of the owner of key, for the text it stands behind. */
bool signature_holds(const struct signature *s, const char *text, const unsigned char key[SIGN_KEY]);

#endif
