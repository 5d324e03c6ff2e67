// SPDX-License-Identifier: Apache-2.0
// What the Swift importer cannot see of OpenSSL: function-like macros, and constants that are built with casts.
#pragma once
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/// TLS 1.2 is the floor. Writes may be partial and may come from an array that has moved since; idle connections
/// give their buffers back.
static inline int openssl_prepare_context(SSL_CTX *context) {
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  return (int)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
}

static inline int openssl_set_server_name(SSL *connection, const char *name) {
  return (int)SSL_set_tlsext_host_name(connection, name);
}

/// Whether the latest error is that the peer went away without a close_notify.
static inline int openssl_error_is_truncation(unsigned long error) {
  return ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
}

/// Whether the latest error is that a text in PEM form holds no more of what is looked for.
static inline int openssl_error_is_end_of_pem(unsigned long error) {
  return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

static inline int openssl_error_reason(unsigned long error) { return ERR_GET_REASON(error); }

static const uint64_t openssl_no_ticket = SSL_OP_NO_TICKET;

static const unsigned long openssl_rfc2253_flags = XN_FLAG_RFC2253;
