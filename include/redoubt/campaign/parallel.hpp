// SPDX-License-Identifier: MIT
// Work spread over threads; what it computes does not depend on how many there are.
#pragma once

#include <redoubt/base/config.hpp>

#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace redoubt::campaign::inline REDOUBT_ABI {

/// Calls body(worker, i) for i in [0, count), each once, from `threads` threads; make_worker() makes one worker a thread.
/// Results belong in slot i of something sized before. The first exception ends the run and is thrown again here.
template <class MakeWorker, class Body>
void parallel_for(std::size_t count, unsigned threads, MakeWorker&& make_worker, Body&& body) {
    std::atomic<std::size_t> next{0};
    std::exception_ptr failure;
    std::mutex failing;
    const auto work = [&] {
        try {
            auto worker = make_worker();
            for (std::size_t i; (i = next.fetch_add(1)) < count;) body(worker, i);
        } catch (...) {
            const std::lock_guard lock{failing};
            if (!failure) failure = std::current_exception();
            next = count;
        }
    };
    std::vector<std::thread> others;
    for (unsigned t = 1; t < threads && t < count; ++t) others.emplace_back(work);
    work();
    for (std::thread& t : others) t.join();
    if (failure) std::rethrow_exception(failure);
}

}  // namespace redoubt::campaign::inline REDOUBT_ABI
