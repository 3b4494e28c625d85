// SPDX-License-Identifier: MIT
// Operands between pages that must not be touched: a read past their edge ends the test with a signal.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <new>
#include <vector>

namespace support {

/// Which end of the elements meets a forbidden page.
enum class edge { begin, end };

/// Elements in pages of their own.
template <class T>
class guarded {
public:
    guarded(std::size_t count, edge where) {
        const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
        const std::size_t bytes = count * sizeof(T), used = (bytes + page - 1) / page * page;
        size_ = used + 2 * page;
        block_ = mmap(nullptr, size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (block_ == MAP_FAILED) throw std::bad_alloc{};
        char* first = static_cast<char*>(block_) + page;
        if (used > 0 && mprotect(first, used, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc{};
        data_ = reinterpret_cast<T*>(where == edge::begin ? first : first + (used - bytes));
    }
    guarded(const std::vector<T>& elements, edge where) : guarded{elements.size(), where} {
        std::memcpy(static_cast<void*>(data_), elements.data(), elements.size() * sizeof(T));
    }
    ~guarded() { munmap(block_, size_); }
    guarded(const guarded&) = delete;
    guarded& operator=(const guarded&) = delete;

    T* data() { return data_; }

private:
    void* block_ = nullptr;
    std::size_t size_ = 0;
    T* data_ = nullptr;
};

}  // namespace support
