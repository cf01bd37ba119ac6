// Blocks without headers, for all threads.
//
// malloc puts 8 bytes before each block and rounds up to the next 16: of a TLS session's 33 small blocks that is a tenth. Here
// blocks of one size lie side by side in a slab of 64 KiB, which knows by one bit for each which of them are free, and the size is
// found from the address. Nothing that is written to freed memory leads anywhere, and a slab that is given a free block ends the
// process.
//
// All slabs lie in one range of addresses that is reserved at the first use. A slab without blocks in use serves another size, and
// its memory goes back to the kernel but for a few.
#ifndef SLUICE_SLABS_H
#define SLUICE_SLABS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

// The kinds of slabs differ in the size of their blocks: from 1 on in steps of 8 bytes for small blocks, and then of 64 for others. A
// block whose size is a multiple of 16 is aligned to 16 bytes, any other to 8: nothing that needs more has such a size.
enum { slab_bytes = 1 << 16, small_step = 8, other_step = 64, largest_small = 1024, largest_other = 8192 };
enum { small_kinds = largest_small / small_step, slab_kinds = small_kinds + (largest_other - largest_small) / other_step };

static inline size_t slab_kind_for(size_t count) {
  if (count <= largest_small) return (count + small_step - 1) / small_step;
  return small_kinds + (count - largest_small + other_step - 1) / other_step;
}

static inline size_t slab_block_bytes(size_t kind) {
  return kind <= small_kinds ? kind * small_step : largest_small + (kind - small_kinds) * other_step;
}

// 1 GiB of addresses: 80,000 TLS sessions. What is wanted beyond that is malloc's.
enum { slab_count = 1 << 14 };
#define SLAB_RANGE ((uintptr_t)slab_bytes * slab_count)

// Where the range begins, and the kind of each slab in it. A block's own slab does not change while the block is in use.
extern _Atomic(uintptr_t) slab_base;
extern uint8_t slab_kind[slab_count];

// The kind of a block; 0 for one that is no slab's.
static inline size_t slab_kind_of(const void *block) {
  uintptr_t offset = (uintptr_t)block - atomic_load_explicit(&slab_base, memory_order_relaxed);
  return offset < SLAB_RANGE ? slab_kind[offset / slab_bytes] : 0;
}

// Takes up to `count` blocks of a kind; gives how many there were.
size_t slabs_take(size_t kind, void **blocks, size_t count);

// Gives blocks back, whoever took them.
void slabs_give(void *const *blocks, size_t count);

// Gives the kernel every page on which nothing is in use.
void slabs_trim(void);

// How many slabs have blocks in use.
size_t slabs_in_use(void);

#endif
