#pragma once

#include <stddef.h>
#include <stdint.h>

/// libFuzzer as a library: runs `callback` on inputs until the command line says that it is enough. LLVM installs no header for it.
int LLVMFuzzerRunDriver(int *_Nonnull argc, char *_Nullable *_Nonnull *_Nonnull argv,
                        int (*_Nonnull callback)(const uint8_t *_Nullable data, size_t size));
