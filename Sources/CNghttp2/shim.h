// nghttp2 for Swift: the header EdgeHTTP2 uses.
#ifndef SLUICE_CNGHTTP2_SHIM_H
#define SLUICE_CNGHTTP2_SHIM_H

#include <nghttp2/nghttp2.h>

#endif
