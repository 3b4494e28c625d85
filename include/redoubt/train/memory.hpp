// SPDX-License-Identifier: MIT
// Storage for batches: arrays on whole cache lines, and scratch that a thread takes from and gives back all at once.
#pragma once

#include <redoubt/base/config.hpp>

#include <cstddef>
#include <new>
#include <vector>

namespace redoubt::train::inline v1 {

/// Memory that begins on a cache line: a vector of sixteen floats must not lie across two.
template <class T>
struct line_allocator {
    using value_type = T;
    static constexpr std::align_val_t alignment{64};

    line_allocator() = default;
    template <class U> line_allocator(const line_allocator<U>&) {}
    T* allocate(std::size_t count) { return static_cast<T*>(::operator new(count * sizeof(T), alignment)); }
    void deallocate(T* p, std::size_t) { ::operator delete(p, alignment); }
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
