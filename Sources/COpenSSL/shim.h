// OpenSSL 3 for Swift: the headers EdgeTLS uses, and an inline function for each macro that Swift cannot import.
#ifndef SLUICE_COPENSSL_SHIM_H
#define SLUICE_COPENSSL_SHIM_H

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

// MARK: Contexts

/// What every context of ours has set, whichever side it serves. Early data stays off, as it is by default.
static inline void sluice_ctx_set_common(SSL_CTX *ctx) {
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_read_ahead(ctx, 1);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
}

static inline void sluice_ctx_set_server_preference(SSL_CTX *ctx) {
  SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
}

static inline int sluice_ctx_set_versions(SSL_CTX *ctx, int lowest, int highest) {
  return SSL_CTX_set_min_proto_version(ctx, lowest) && SSL_CTX_set_max_proto_version(ctx, highest);
}

static inline int sluice_ctx_set_groups(SSL_CTX *ctx, const char *list) {
  return (int)SSL_CTX_set1_groups_list(ctx, list);
}

static inline int sluice_ctx_set_signatures(SSL_CTX *ctx, const char *list) {
  return (int)SSL_CTX_set1_sigalgs_list(ctx, list);
}

static inline int sluice_ctx_set_client_signatures(SSL_CTX *ctx, const char *list) {
  return (int)SSL_CTX_set1_client_sigalgs_list(ctx, list);
}

/// Whom a server believes about its clients: the certificates of `store`, each by itself, where they are meant for clients.
static inline int sluice_ctx_verify_clients(SSL_CTX *ctx, X509_STORE *store) {
  SSL_CTX_set1_cert_store(ctx, store);
  return SSL_CTX_set_purpose(ctx, X509_PURPOSE_SSL_CLIENT) &&
         X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx), X509_V_FLAG_PARTIAL_CHAIN);
}

static inline int sluice_ctx_add_chain(SSL_CTX *ctx, X509 *certificate) {
  return (int)SSL_CTX_add1_chain_cert(ctx, certificate);
}

static inline void sluice_ctx_on_server_name(SSL_CTX *ctx, int (*callback)(SSL *, int *, void *), void *argument) {
  SSL_CTX_set_tlsext_servername_callback(ctx, callback);
  SSL_CTX_set_tlsext_servername_arg(ctx, argument);
}

static inline int sluice_ctx_new_index(void) {
  return SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

static inline int sluice_ssl_set_server_name(SSL *ssl, const char *name) {
  return (int)SSL_set_tlsext_host_name(ssl, name);
}

/// Wipes and frees what a session holds of its key exchange, which OpenSSL does no sooner than it frees the session: in TLS 1.3 the
/// keys of both sides, 368 bytes. Nobody asks for them once the handshake is done; a key without content, of whichever kind, stays.
static inline void sluice_ssl_forget_key_exchange(SSL *ssl) {
  EVP_PKEY *key = NULL;
  if (SSL_get_tmp_key(ssl, &key)) {
    EVP_PKEY_set_type(key, EVP_PKEY_X25519);
    EVP_PKEY_free(key);
  }
  if (SSL_get_peer_tmp_key(ssl, &key)) {
    EVP_PKEY_set_type(key, EVP_PKEY_X25519);
    EVP_PKEY_free(key);
  }
}

// MARK: BIOs

static inline void sluice_bio_clear_retry(BIO *bio) { BIO_clear_retry_flags(bio); }
static inline void sluice_bio_retry_read(BIO *bio) { BIO_set_retry_read(bio); }

static inline long sluice_bio_bytes(BIO *bio, const unsigned char **bytes) {
  return BIO_get_mem_data(bio, (char **)bytes);
}

// MARK: Errors

static inline int sluice_error_library(unsigned long error) { return ERR_GET_LIB(error); }
static inline int sluice_error_reason(unsigned long error) { return ERR_GET_REASON(error); }

// MARK: Message authentication

/// Keys an HMAC-SHA256 context.
static inline int sluice_hmac_sha256_set_key(EVP_MAC_CTX *mac, const unsigned char *key, size_t count) {
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)key, count),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0),
      OSSL_PARAM_construct_end(),
  };
  return EVP_MAC_CTX_set_params(mac, parameters);
}

// MARK: Keys

static inline EVP_PKEY *sluice_generate_ec(const char *curve) { return EVP_EC_gen(curve); }
static inline EVP_PKEY *sluice_generate_rsa(size_t bits) { return EVP_RSA_gen(bits); }
static inline EVP_PKEY *sluice_generate_edwards(const char *curve) { return EVP_PKEY_Q_keygen(NULL, NULL, curve); }

static inline EVP_PKEY *sluice_public_key(const char *kind, OSSL_PARAM *parameters) {
  EVP_PKEY *key = NULL;
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
  if (context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
      EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1) {
    key = NULL;
  }
  EVP_PKEY_CTX_free(context);
  return key;
}

/// Modulus and exponent are big-endian.
static inline EVP_PKEY *sluice_rsa_public_key(const unsigned char *n, size_t n_count, const unsigned char *e, size_t e_count) {
  EVP_PKEY *key = NULL;
  BIGNUM *modulus = BN_bin2bn(n, (int)n_count, NULL);
  BIGNUM *exponent = BN_bin2bn(e, (int)e_count, NULL);
  OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
  if (modulus != NULL && exponent != NULL && builder != NULL &&
      OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
      OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent) == 1) {
    OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
    if (parameters != NULL) key = sluice_public_key("RSA", parameters);
    OSSL_PARAM_free(parameters);
  }
  OSSL_PARAM_BLD_free(builder);
  BN_free(exponent);
  BN_free(modulus);
  return key;
}

/// The point is uncompressed: 4, x, y.
static inline EVP_PKEY *sluice_ec_public_key(const char *curve, const unsigned char *point, size_t count) {
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)curve, 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (unsigned char *)point, count),
      OSSL_PARAM_construct_end(),
  };
  return sluice_public_key("EC", parameters);
}

/// Writes a number of a key (`n` or `e`), big-endian; -1 when there is none or it takes more than `room` bytes.
static inline int sluice_key_number(const EVP_PKEY *key, const char *name, unsigned char *bytes, int room) {
  BIGNUM *number = NULL;
  if (EVP_PKEY_get_bn_param(key, name, &number) != 1) return -1;
  int count = BN_num_bytes(number) <= room ? BN_bn2bin(number, bytes) : -1;
  BN_free(number);
  return count;
}

/// A password callback that has none, so that an encrypted key is an error and not a prompt on the terminal.
static inline int sluice_no_password(char *buffer, int size, int writing, void *argument) {
  (void)buffer, (void)size, (void)writing, (void)argument;
  return -1;
}

static inline EVP_PKEY *sluice_read_private_key(BIO *bio) {
  return PEM_read_bio_PrivateKey(bio, NULL, sluice_no_password, NULL);
}

/// Prepares RSASSA-PSS as JOSE has it: the salt as long as the digest, MGF1 with the same digest.
static inline int sluice_use_pss(EVP_PKEY_CTX *context) {
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

// MARK: Certificates

/// Adds an extension that vouches for the certificate itself, in the words of x509v3_config(5).
static inline int sluice_certificate_add(X509 *certificate, int kind, const char *value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
  if (extension == NULL) return 0;
  int added = X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
  return added;
}

static inline GENERAL_NAMES *sluice_certificate_names(const X509 *certificate) {
  return (GENERAL_NAMES *)X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
}

static inline int sluice_names_count(const GENERAL_NAMES *names) { return sk_GENERAL_NAME_num(names); }

/// The DNS name at `index`, or NULL where another kind of name stands.
static inline const unsigned char *sluice_names_dns(const GENERAL_NAMES *names, int index, int *count) {
  const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, index);
  if (name == NULL || name->type != GEN_DNS) return NULL;
  *count = ASN1_STRING_length(name->d.dNSName);
  return ASN1_STRING_get0_data(name->d.dNSName);
}

/// The address at `index`, 4 or 16 bytes, or NULL where another kind of name stands.
static inline const unsigned char *sluice_names_address(const GENERAL_NAMES *names, int index, int *count) {
  const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, index);
  if (name == NULL || name->type != GEN_IPADD) return NULL;
  *count = ASN1_STRING_length(name->d.iPAddress);
  return ASN1_STRING_get0_data(name->d.iPAddress);
}

/// Writes a name as RFC 4514 has it, control characters and what is not ASCII escaped.
static inline int sluice_print_name(BIO *bio, const X509_NAME *name) {
  return X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0;
}

#endif
