// SPDX-License-Identifier: MIT
// Threads that stay: a training step has some hundred short pieces of work, too short to start a thread for each.
#pragma once

#include <redoubt/base/config.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace redoubt::train::inline v1 {

/// How images of a batch are cut for threads: at most 16 chunks of at least 8, whatever the number of threads, so that sums over chunks in their order do not depend on it.
struct image_chunks {
    static constexpr std::size_t most = 16;
    std::size_t images;  ///< of a chunk; the last may have less
    std::size_t count;

    explicit image_chunks(std::size_t all) : images{std::max<std::size_t>(8, (all + most - 1) / most)}, count{(all + images - 1) / images} {}
};

/// A fixed number of threads, of which the caller is one. Neither copied nor moved.
class team {
public:
    explicit team(unsigned threads) {
        for (unsigned t = 1; t < threads; ++t) others_.emplace_back([this, t] { serve(t); });
    }
    team(const team&) = delete;
    team& operator=(const team&) = delete;
    ~team() {
        body_ = nullptr;
        start();
        for (std::thread& t : others_) t.join();
    }

    std::size_t size() const { return others_.size() + 1; }

    /// body(worker, i) for all i in [0, count), each once, `worker` below size(). Which worker takes what is not fixed: a result must
    /// depend on i alone. The first exception is thrown again here, once all have stopped.
    void run(std::size_t count, const std::function<void(std::size_t, std::size_t)>& body) {
        if (others_.empty() || count <= 1) {
            for (std::size_t i = 0; i < count; ++i) body(0, i);
            return;
        }
        body_ = &body;
        count_ = count;
        next_ = 0;
        busy_ = others_.size();
        start();
        work(0);
        for (std::size_t left; (left = busy_.load()) != 0;) busy_.wait(left);
        if (failure_) {
            const std::exception_ptr failure = failure_;
            failure_ = nullptr;
            std::rethrow_exception(failure);
        }
    }

private:
    void start() {
        ++round_;
        round_.notify_all();
    }
    void serve(std::size_t worker) {
        for (unsigned seen = 0;;) {
            round_.wait(seen);
            seen = round_.load();
            if (body_ == nullptr) return;
            work(worker);
            if (--busy_ == 0) busy_.notify_one();
        }
    }
    void work(std::size_t worker) {
        try {
            for (std::size_t i; (i = next_.fetch_add(1)) < count_;) (*body_)(worker, i);
        } catch (...) {
            const std::lock_guard lock{failing_};
            if (!failure_) failure_ = std::current_exception();
            next_ = count_;
        }
    }

    const std::function<void(std::size_t, std::size_t)>* body_ = nullptr;
    std::size_t count_ = 0;
    std::atomic<std::size_t> next_{0}, busy_{0};
    std::atomic<unsigned> round_{0};
    std::mutex failing_;
    std::exception_ptr failure_;
    std::vector<std::thread> others_;
};

}  // namespace redoubt::train::inline v1
