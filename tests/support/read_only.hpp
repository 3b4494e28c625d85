// SPDX-License-Identifier: MIT
// An object in pages that may be read only: a write to it ends the program.
#pragma once

#include <cstring>
#include <new>
#include <stdexcept>
#include <type_traits>

#include <sys/mman.h>

namespace support {

/// A copy of a trivially copyable object, some bytes into its first page.
template <class T>
    requires std::is_trivially_copyable_v<T>
class read_only {
public:
    explicit read_only(const T& object, std::size_t offset = 0) : size_{sizeof(T) + offset} {
        pages_ = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (pages_ == MAP_FAILED) throw std::runtime_error{"no pages"};
        object_ = reinterpret_cast<const T*>(static_cast<char*>(pages_) + offset);
        std::memcpy(static_cast<char*>(pages_) + offset, &object, sizeof(T));
        if (::mprotect(pages_, size_, PROT_READ) != 0) throw std::runtime_error{"pages stay writable"};
    }
    read_only(const read_only&) = delete;
    read_only& operator=(const read_only&) = delete;
    ~read_only() { ::munmap(pages_, size_); }

    const T& operator*() const { return *object_; }

private:
    std::size_t size_;
    void* pages_ = nullptr;
    const T* object_ = nullptr;
};

}  // namespace support
