"""Small matrices are worked on by one thread."""

from threadpoolctl import threadpool_info, threadpool_limits

from naion._blas import one_blas_thread


def threads():
    """Threads of every BLAS that is loaded, by its file."""
    libraries = [a for a in threadpool_info() if a["user_api"] == "blas"]
    return {a["filepath"]: a["num_threads"] for a in libraries}


def test_one_thread_within_and_as_many_as_before_behind():
    with one_blas_thread():
        pass  # loads what is limited
    with threadpool_limits(2, user_api="blas"):
        before = threads()
        with one_blas_thread():
            within = threads()
        assert threads() == before
    assert before and set(within.values()) == {1}
    assert len(within) == len(before)
