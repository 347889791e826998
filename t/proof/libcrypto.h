
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _PROOF_LIBCRYPTO_H_INCLUDED_
#define _PROOF_LIBCRYPTO_H_INCLUDED_


/*
 * What OpenSSL's manual says of functions of libcrypto, as far as proofs rely
 * upon it.  These contracts are assumed.
 */


#define OPENSSL_SUPPRESS_DEPRECATED

#include "proof.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>


int
SHA256_Init(SHA256_CTX *c)
REQUIRES(WRITABLE(c, sizeof(SHA256_CTX)))
ASSIGNS(*c);


/* of nothing there need not be a pointer */

int
SHA256_Update(SHA256_CTX *c, const void *data, size_t len)
REQUIRES(WRITABLE(c, sizeof(SHA256_CTX)) && (len == 0 || READABLE(data, len)))
ASSIGNS(*c);


int
SHA256_Final(unsigned char *md, SHA256_CTX *c)
REQUIRES(WRITABLE(c, sizeof(SHA256_CTX)) && WRITABLE(md, 32))
ASSIGNS(*c, __CPROVER_object_upto(md, 32));


int
CRYPTO_memcmp(const void *a, const void *b, size_t len)
REQUIRES(READABLE(a, len) && READABLE(b, len))
ASSIGNS();


void
OPENSSL_cleanse(void *p, size_t len)
REQUIRES(WRITABLE(p, len))
ASSIGNS(__CPROVER_object_upto(p, len));


#endif /* _PROOF_LIBCRYPTO_H_INCLUDED_ */
