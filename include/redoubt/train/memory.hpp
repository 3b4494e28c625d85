// SPDX-License-Identifier: MIT
// Storage for batches: arrays on whole cache lines, and scratch that a thread takes from and gives back all at once.
#pragma once

#include <redoubt/base/config.hpp>

#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

#if __has_include(<sys/mman.h>)
#include <sys/mman.h>
#endif

namespace redoubt::train::inline v1 {

namespace detail {

inline constexpr std::size_t large_page = std::size_t{1} << 21;

/// Asks for pages of 2 MiB, where there are such: a step walks through hundreds of MiB, and looking up small pages then costs as much as reading
/// them.
inline void prefer_large_pages([[maybe_unused]] void* p, [[maybe_unused]] std::size_t bytes) {
#ifdef MADV_HUGEPAGE
    if (bytes >= large_page) static_cast<void>(::madvise(p, bytes / large_page * large_page, MADV_HUGEPAGE));
#endif
}

/// How far into its first large page an array begins. Arrays that all began on one would share the sets of the caches, and the
/// processor would take a read of one for a read of what was just written to another.
inline std::size_t shift_of(const void* p) {
    const std::uintptr_t page = reinterpret_cast<std::uintptr_t>(p) / large_page;
    return static_cast<std::size_t>(page * 13 % 64) * 832;
}

}  // namespace detail

/// Memory that begins on a cache line, since a vector of sixteen floats must not lie across two, or on a large page.
template <class T>
struct line_allocator {
    using value_type = T;

    line_allocator() = default;
    template <class U> line_allocator(const line_allocator<U>&) {}
    T* allocate(std::size_t count) {
        const std::size_t bytes = count * sizeof(T);
        if (bytes < detail::large_page) return static_cast<T*>(::operator new(bytes, std::align_val_t{64}));
        void* const base = ::operator new(bytes + detail::large_page / 32, std::align_val_t{detail::large_page});
        detail::prefer_large_pages(base, bytes);
        return reinterpret_cast<T*>(static_cast<std::byte*>(base) + detail::shift_of(base));
    }
    void deallocate(T* p, std::size_t count) {
        if (count * sizeof(T) < detail::large_page) return ::operator delete(p, std::align_val_t{64});
        std::byte* const shifted = reinterpret_cast<std::byte*>(p);
        ::operator delete(shifted - detail::shift_of(shifted), std::align_val_t{detail::large_page});
    }
    template <class U> bool operator==(const line_allocator<U>&) const { return true; }
};

/// A vector of floats on whole cache lines.
using floats = std::vector<float, line_allocator<float>>;

/// Scratch of one thread. Blocks once allocated are kept.
class scratch {
public:
    /// Room for `count` floats until the next clear(); what it holds is anything.
    float* take(std::size_t count) {
        count = (count + 15) / 16 * 16;
        while (block_ < blocks_.size() && blocks_[block_].size() - used_ < count) {
            ++block_;
            used_ = 0;
        }
        if (block_ == blocks_.size()) {
            blocks_.emplace_back(count > least ? count : least);
            used_ = 0;
        }
        float* const at = blocks_[block_].data() + used_;
        used_ += count;
        return at;
    }
    void clear() { block_ = used_ = 0; }

private:
    static constexpr std::size_t least = std::size_t{1} << 16;
    std::vector<floats> blocks_;
    std::size_t block_ = 0, used_ = 0;
};

}  // namespace redoubt::train::inline v1
