// libcurl's variadic calls, which Swift cannot import: one function for each type of argument.
#pragma once

#include <curl/curl.h>
#include <stddef.h>

typedef size_t (*sluice_curl_receiver)(char *_Nullable bytes, size_t size, size_t count, void *_Nullable context);
typedef int (*sluice_curl_observer)(void *_Nullable context, curl_off_t expected, curl_off_t received, curl_off_t outgoing,
                                    curl_off_t sent);

static inline CURLcode sluice_curl_start(void) { return curl_global_init(CURL_GLOBAL_DEFAULT); }

// A null text puts the option back to its default, or switches it off.
static inline CURLcode sluice_curl_set_text(CURL *_Nonnull handle, CURLoption option, const char *_Nullable text) {
  return curl_easy_setopt(handle, option, text);
}

static inline CURLcode sluice_curl_set_number(CURL *_Nonnull handle, CURLoption option, long number) {
  return curl_easy_setopt(handle, option, number);
}

static inline CURLcode sluice_curl_set_size(CURL *_Nonnull handle, CURLoption option, curl_off_t size) {
  return curl_easy_setopt(handle, option, size);
}

static inline CURLcode sluice_curl_set_fields(CURL *_Nonnull handle, const struct curl_slist *_Nullable fields) {
  return curl_easy_setopt(handle, CURLOPT_HTTPHEADER, fields);
}

// At least CURL_ERROR_SIZE bytes, which must outlive the handle.
static inline CURLcode sluice_curl_set_error_buffer(CURL *_Nonnull handle, char *_Nonnull buffer) {
  return curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, buffer);
}

// Gives the body to the receiver, which returns how many bytes it took.
static inline CURLcode sluice_curl_on_receive(CURL *_Nonnull handle, sluice_curl_receiver _Nonnull receiver,
                                              void *_Nonnull context) {
  CURLcode code = curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, receiver);
  return code == CURLE_OK ? curl_easy_setopt(handle, CURLOPT_WRITEDATA, context) : code;
}

// Calls the observer about once a second, and more often while bytes come; anything but 0 ends the transfer.
static inline CURLcode sluice_curl_on_progress(CURL *_Nonnull handle, sluice_curl_observer _Nonnull observer,
                                               void *_Nonnull context) {
  CURLcode code = curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, observer);
  if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_XFERINFODATA, context);
  return code == CURLE_OK ? curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L) : code;
}

// The status of the last answer; 0 if there was none.
static inline long sluice_curl_status(CURL *_Nonnull handle) {
  long status = 0;
  return curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK ? status : 0;
}

// The error number of the last connect that failed; 0 if none did.
static inline int sluice_curl_system_error(CURL *_Nonnull handle) {
  long error = 0;
  return curl_easy_getinfo(handle, CURLINFO_OS_ERRNO, &error) == CURLE_OK ? (int)error : 0;
}
