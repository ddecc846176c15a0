# The service with its own worker and its page. Further workers: the same image, `parcours worker`.

FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY backend backend
COPY web web
# The page is built here, with the Node that PyPI brings; the image carries only what comes of it.
RUN python -m venv /opt/builder \
 && /opt/builder/bin/pip install --no-cache-dir --constraint constraints.txt --editable . --editable ./backend/parcours_dev \
 && /opt/builder/bin/python -m parcours_dev.player_build
# Nothing is installed in the image later: pip stays here.
RUN python -m venv --without-pip /opt/parcours \
 && /opt/builder/bin/pip --python /opt/parcours/bin/python install --no-cache-dir --constraint constraints.txt .

FROM python:3.12-slim
ARG VERSION
LABEL org.opencontainers.image.title="Parcours XL" \
      org.opencontainers.image.version=$VERSION \
      org.opencontainers.image.licenses=MIT
RUN pip uninstall --yes --root-user-action=ignore pip \
 && useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin parcours
COPY --from=build /opt/parcours /opt/parcours
# Two arenas: glibc otherwise keeps one for nearly every thread, and transfers use many.
ENV PATH=/opt/parcours/bin:$PATH PYTHONUNBUFFERED=1 LOG_FORMAT=json MALLOC_ARENA_MAX=2
USER parcours
# Tracks pass through the temporary folder, one file a transfer (50 MB at most).
VOLUME /tmp
EXPOSE 8000
# Alive or not, and nothing else: a process is no healthier for being restarted while Supabase is
# unavailable. Whoever routes requests asks /readyz.
HEALTHCHECK --interval=15s --timeout=5s --start-period=10s CMD \
  ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
# The worker finishes or hands back what is under way within ten seconds; the service answers what it
# has begun first, for DRAIN_S (20 s) at most.
STOPSIGNAL SIGTERM
CMD ["parcours", "serve", "--host", "0.0.0.0", "--port", "8000"]
