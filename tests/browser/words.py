"""What is written on the buttons, links and fields that tests use, in both languages."""

from typing import Final

_PAIRS: Final = {
    "until yours": ("En attendant la vôtre", "Until yours is ready"),
    "reserve alone": (
        "Une musique déjà composée vous accompagne",
        "Music composed earlier is with you",
    ),
    "start": ("Commencer", "Start"),
    "stop": ("Stop", "Stop"),
    "pause": ("Pause", "Pause"),
    "resume": ("Reprendre", "Resume"),
    "more": ("Plus", "More"),
    "close": ("Fermer", "Close"),
    "help": ("Aide", "Help"),
    "close help": ("Fermer l'aide", "Close help"),
    "next piece": ("Morceau suivant", "Next piece"),
    "rate": ("Dire comment je me sens", "Say how I feel"),
    "skip": ("Passer", "Skip"),
    "breathe": ("Respirer avec la lumière", "Breathe with the light"),
    "look around": ("Regarder autour de moi", "Look around me"),
    "runs": ("Mes parcours", "My journeys"),
    "keep": ("Garder mes parcours", "Keep my journeys"),
    "keep them": ("Garder mes parcours", "Keep my journeys"),
    "back": ("Retour", "Back"),
    "home": ("Revenir au début", "Back to the beginning"),
    "listen here": ("Écouter ici", "Listen here"),
    "leave": ("Non, revenir au début", "No, back to the beginning"),
    "compose again": ("Reprendre la composition", "Resume composing"),
    "email": ("Votre adresse e-mail", "Your email address"),
    "continue": ("Continuer", "Continue"),
    "new password": ("Choisissez un mot de passe", "Choose a password"),
    "no account": ("Je n'ai pas encore de compte", "I have no account yet"),
    "create account": ("Créer mon compte", "Create my account"),
    "language": ("English", "Français"),
}

WORDS: Final = {
    language: {name: pair[place] for name, pair in _PAIRS.items()}
    for place, language in enumerate(("fr", "en"))
}

WRITTEN: Final = ".brief:not(.first-title + .brief)"
"""The words written for a run. Until they are there the preset's own stand in their place, under
the title of its first piece."""
