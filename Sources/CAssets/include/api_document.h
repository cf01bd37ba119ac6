// The description of the admin API, embedded when this target is built. The file itself is ../api/openapi.json.
#ifndef API_DOCUMENT_H
#define API_DOCUMENT_H

#include <stddef.h>

// Lives as long as the process.
const unsigned char *api_document_bytes(void);

size_t api_document_count(void);

#endif
