// SPDX-License-Identifier: MIT
// The processes of a campaign: one, or the ranks of an MPI job where REDOUBT_WITH_MPI is defined.
#pragma once

#include <redoubt/base/config.hpp>

#ifdef REDOUBT_WITH_MPI
// the C interface alone
#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>
#endif

namespace redoubt::campaign::inline REDOUBT_ABI {

/// Ranks that share a file system. Make one at the start of a program; without MPI it is a job of one.
class cluster {
public:
#ifdef REDOUBT_WITH_MPI
    cluster() {
        MPI_Init(nullptr, nullptr);
        MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
        MPI_Comm_size(MPI_COMM_WORLD, &size_);
    }
    ~cluster() { MPI_Finalize(); }
    /// Waits for all ranks; true where `good` is true on each.
    bool all(bool good) const {
        int mine = good ? 1 : 0, everywhere = 0;
        MPI_Allreduce(&mine, &everywhere, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
        return everywhere != 0;
    }
#else
    cluster() = default;
    bool all(bool good) const { return good; }
#endif
    cluster(const cluster&) = delete;
    cluster& operator=(const cluster&) = delete;

    int rank() const { return rank_; }
    int size() const { return size_; }

private:
    int rank_ = 0, size_ = 1;
};

}  // namespace redoubt::campaign::inline REDOUBT_ABI
