// SPDX-License-Identifier: Apache-2.0
// What the Swift importer cannot see of OpenSSL: function-like macros.
#pragma once
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
