#include "api_document.h"

static const unsigned char openapi_json[] = {
#embed "api/openapi.json"
};

const unsigned char *api_document_bytes(void) { return openapi_json; }

size_t api_document_count(void) { return sizeof openapi_json; }
